// Limits as text for people and programs: what limits_file.h reads, written. Reading back what is
// written gives the same limits.
#pragma once

#include <span>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "base/time.h"
#include "base/tokens.h"
#include "bucket/limit_spec.h"

namespace brigade::api {

// "1000/s", "5000/h", "100000/d": the shortest period that gives a whole number of tokens; rates
// that none gives are tokens per 1000 s. Exact up to 1.1e9 tokens per second.
std::string rate_text(base::Rate rate);
// "proportional", "maxmin", "karma".
const char* fairness_text(bucket::Fairness fairness);
// "0s", "200ms", "90s", "1h"; rounded down to a millisecond.
std::string duration_text(base::Duration duration);

// The fields of the YAML. Every field has a value but for `per`, `bucket.max` and `priorities`,
// which are left out when there is none.
nlohmann::ordered_json limit_json(const bucket::LimitSpec& spec);
// {"limits":[...]}
std::string limits_json(std::span<const bucket::LimitSpec> specs);
// A limits file: name, rate, burst and what differs from the defaults.
std::string limits_yaml(std::span<const bucket::LimitSpec> specs);

}  // namespace brigade::api
