#ifndef UNITS_HPP
#define UNITS_HPP

#include <agent_venv.hpp>

avenv::Result<avenv::Environment> made(const avenv::Options &options);
avenv::Result<std::vector<std::string>> failed();

#endif
