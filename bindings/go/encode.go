package agentvenv

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"unicode/utf8"
)

// toJSON writes a value for the library, which judges it. Only what JSON can't say is refused here.
func toJSON(value any, field string) (string, error) {
	text, err := json.Marshal(value)
	if err == nil {
		err = checkTexts(reflect.ValueOf(value), field)
	} else {
		err = invalid(orSpec(field), err.Error())
	}
	return string(text), err
}

// checkTexts refuses text that is not UTF-8, of which encoding/json would silently make another text. It comes after
// json.Marshal, which refuses what refers to itself.
func checkTexts(value reflect.Value, field string) error {
	switch value.Kind() {
	case reflect.String:
		if !utf8.ValidString(value.String()) {
			return invalid(orSpec(field), "is not valid UTF-8")
		}
	case reflect.Pointer, reflect.Interface:
		if !value.IsNil() {
			return checkTexts(value.Elem(), field)
		}
	case reflect.Map:
		for entries := value.MapRange(); entries.Next(); {
			if checkTexts(entries.Key(), field) == nil && checkTexts(entries.Value(), field) == nil {
				continue
			}
			within := fmt.Sprint(entries.Key())
			if field != "" {
				within = fmt.Sprintf("%s[%q]", field, within)
			}
			return cmp.Or(checkTexts(entries.Key(), within), checkTexts(entries.Value(), within))
		}
	case reflect.Slice, reflect.Array:
		for i := range value.Len() {
			if err := checkTexts(value.Index(i), fmt.Sprintf("%s[%d]", field, i)); err != nil {
				return err
			}
		}
	case reflect.Struct:
		for i := range value.NumField() {
			if err := checkTexts(value.Field(i), fmt.Sprintf("%s.%s", field, value.Type().Field(i).Name)); err != nil {
				return err
			}
		}
	}
	return nil
}

func orSpec(field string) string {
	if field == "" {
		return "spec"
	}
	return field
}
