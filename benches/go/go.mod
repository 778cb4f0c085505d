module bench

go 1.24

require agentvenv v0.0.0

replace agentvenv => ../../bindings/go
