module agentvenv

go 1.24
