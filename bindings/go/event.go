package agentvenv

import (
	"encoding/json"
	"maps"
	"sync"
)

// Event is one entry of a log: what a call did. As JSON it is flat: {"ts_ms":0,"kind":"env.created",...}.
type Event struct {
	// TsMs counts milliseconds since the log began.
	TsMs int64
	// Kind is what happened, such as "env.created".
	Kind string
	// Data is what the kind has to tell, such as "path". Numbers are float64.
	Data map[string]any
}

// MarshalJSON writes the flat form.
func (e Event) MarshalJSON() ([]byte, error) {
	flat := map[string]any{}
	maps.Copy(flat, e.Data)
	flat["ts_ms"], flat["kind"] = e.TsMs, e.Kind
	return json.Marshal(flat)
}

// UnmarshalJSON reads the flat form.
func (e *Event) UnmarshalJSON(text []byte) error {
	var head struct {
		TsMs int64  `json:"ts_ms"`
		Kind string `json:"kind"`
	}
	var data map[string]any
	if err := json.Unmarshal(text, &head); err != nil {
		return err
	}
	if err := json.Unmarshal(text, &data); err != nil {
		return err
	}
	delete(data, "ts_ms")
	delete(data, "kind")
	*e = Event{TsMs: head.TsMs, Kind: head.Kind, Data: data}
	return nil
}

// EventSink is called with each event after the call that it is of, see [WithEventSink].
type EventSink func(Event)

// delivery hands the events of one log to the caller's sink.
type delivery struct {
	sink    EventSink
	mutex   sync.Mutex
	told    int
	telling bool
}

// tell hands over what is new in the log: each event once, in order, one at a time. A call that ends while the events of
// another are handed over (or within the sink) leaves its own to that one, so that nothing waits and nothing overtakes.
func (d *delivery) tell(log func() []Event) {
	if d.sink == nil {
		return
	}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.telling {
		return
	}
	d.telling = true
	defer func() { d.telling = false }()
	for news := log()[d.told:]; len(news) > 0; news = log()[d.told:] {
		d.told++
		d.handOver(news[0])
	}
}

func (d *delivery) handOver(event Event) {
	d.mutex.Unlock()
	defer d.mutex.Lock()
	d.sink(event)
}
