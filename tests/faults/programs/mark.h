/* A number that no system call has: a call of it does nothing, and a tracer sees it. */
#define MARK 1000000

/* Seconds after which a program ends itself. Nothing here takes one: what takes a minute hangs. */
#define PATIENCE 60
