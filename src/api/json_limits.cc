#include "api/json_limits.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include <nlohmann/json.hpp>

#include "api/json_text.h"

namespace brigade::api {
namespace {

using base::Duration;
using base::Rate;
using base::Tokens;
using base::Wide;
using bucket::LimitSpec;
using nlohmann::ordered_json;

struct Unit {
  const char* name;
  std::int64_t count;
};

// The whole number of tokens per `seconds` that is read as this very rate.
std::optional<std::int64_t> whole_tokens(Rate rate, std::int64_t seconds) {
  constexpr std::int64_t kNano = 1'000'000'000;
  const Wide tokens = (static_cast<Wide>(rate.nano_per_second()) * seconds + kNano - 1) / kNano;
  if (tokens > Tokens::kMaxMicro / Tokens::kMicro) {
    return std::nullopt;
  }
  const auto whole = static_cast<std::int64_t>(tokens);
  const bool same = Rate::of(Tokens::whole(whole), base::seconds(seconds)) == rate;
  return same ? std::optional(whole) : std::nullopt;
}

// Whole amounts as integers, so that nobody prints 2000.0.
ordered_json number(Tokens amount) {
  if (amount.micro() % Tokens::kMicro == 0) {
    return amount.floor();
  }
  return amount.as_double();
}

ordered_json fraction(bucket::Permille value) {
  return static_cast<double>(value) / 1000;
}

const char* text(bucket::Mode mode) {
  return mode == bucket::Mode::kStrict ? "strict" : "shared";
}

// Removes what is the same in `defaults`, and objects that are empty then.
void strip(ordered_json& object, const ordered_json& defaults) {
  for (auto field = object.begin(); field != object.end();) {
    const auto same = defaults.find(field.key());
    if (same != defaults.end() && field->is_object() && same->is_object()) {
      strip(*field, *same);
    }
    const bool hollow = field->is_object() && field->empty();
    if (hollow || (same != defaults.end() && *same == *field)) {
      field = object.erase(field);
    } else {
      ++field;
    }
  }
}

// Bare where every YAML reader takes it for this text, else in double quotes, as JSON.
void append_yaml_text(std::string& out, const std::string& text) {
  constexpr std::array<std::string_view, 9> kMeanings{"null", "true", "false", "yes", "no",
                                                      "on",   "off",  "y",     "n"};
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto bare = [&](char c) {
    return lower(c) || digit(c) || c == '_' || c == '-' || c == '/';
  };
  const bool word = !text.empty() && lower(text.front()) &&
                    std::find(kMeanings.begin(), kMeanings.end(), text) == kMeanings.end();
  // "1000/s" is no number either.
  const bool rate = !text.empty() && digit(text.front()) && text.find('/') != std::string::npos;
  if ((word || rate) && std::all_of(text.begin(), text.end(), bare)) {
    out += text;
  } else {
    append_json_string(out, text);
  }
}

void append_yaml(std::string& out, const ordered_json& object, const std::string& indent) {
  for (const auto& [key, value] : object.items()) {
    out += indent;
    append_yaml_text(out, key);
    out += ":";
    if (value.is_object()) {
      out += "\n";
      append_yaml(out, value, indent + "  ");
    } else if (value.is_string()) {
      out += " ";
      append_yaml_text(out, value.get_ref<const std::string&>());
      out += "\n";
    } else {
      out += " " + value.dump() + "\n";
    }
  }
}

}  // namespace

const char* fairness_text(bucket::Fairness fairness) {
  switch (fairness) {
    case bucket::Fairness::kMaxMin:
      return "maxmin";
    case bucket::Fairness::kKarma:
      return "karma";
    case bucket::Fairness::kProportional:
      break;
  }
  return "proportional";
}

std::string rate_text(Rate rate) {
  constexpr std::array<Unit, 4> kUnits{{{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86'400}}};
  for (const Unit& unit : kUnits) {
    if (const auto tokens = whole_tokens(rate, unit.count)) {
      return std::to_string(*tokens) + "/" + unit.name;
    }
  }
  // A nano-token per second is a micro-token per 1000 s.
  std::string text;
  if (rate.nano_per_second() <= Tokens::kMaxMicro) {
    append_json_tokens(text, Tokens::micro(rate.nano_per_second()));
    return text + "/1000s";
  }
  append_json_tokens(text, Tokens::micro(rate.nano_per_second() / 1000));
  return text + "/s";
}

std::string duration_text(Duration duration) {
  const std::int64_t ms = duration.count() / 1'000'000;
  constexpr std::array<Unit, 3> kUnits{{{"h", 3'600'000}, {"m", 60'000}, {"s", 1000}}};
  for (const Unit& unit : kUnits) {
    if (ms % unit.count == 0 && ms > 0) {
      return std::to_string(ms / unit.count) + unit.name;
    }
  }
  return ms == 0 ? "0s" : std::to_string(ms) + "ms";
}

ordered_json limit_json(const LimitSpec& spec) {
  ordered_json limit;
  limit["name"] = spec.name;
  if (spec.per_key) {
    limit["per"] = "key";
  }
  limit["mode"] = text(spec.mode);
  limit["rate"] = rate_text(spec.rate);
  limit["burst"] = number(spec.burst);
  ordered_json& sizing = limit["bucket"];
  sizing["min"] = number(spec.sizing.min);
  if (spec.sizing.max > Tokens{}) {
    sizing["max"] = number(spec.sizing.max);
  }
  sizing["threshold_high"] = fraction(spec.sizing.threshold_high);
  sizing["threshold_low"] = fraction(spec.sizing.threshold_low);
  sizing["growth"] = fraction(spec.sizing.growth);
  sizing["shrink"] = fraction(spec.sizing.shrink);
  limit["lend"] = {{"enabled", spec.lend.enabled},
                   {"max_share", fraction(spec.lend.max_share)},
                   {"reserve", number(spec.lend.reserve)}};
  limit["fairness"] = fairness_text(spec.fairness);
  if (!spec.priorities.empty()) {
    ordered_json& priorities = limit["priorities"];
    for (const bucket::PrioritySpec& priority : spec.priorities) {
      priorities[priority.name] = fraction(priority.reserved);
    }
  }
  limit["queue"] = {{"max_wait", duration_text(spec.queue.max_wait)},
                    {"max_waiting", spec.queue.max_waiting}};
  limit["on_isolated"] = spec.on_isolated == bucket::OnIsolated::kKeep ? "keep" : "deny";
  limit["shadow"] = spec.shadow;
  limit["max_keys"] = spec.max_keys;
  return limit;
}

std::string limits_json(std::span<const LimitSpec> specs) {
  ordered_json file;
  file["limits"] = ordered_json::array();
  for (const LimitSpec& spec : specs) {
    file["limits"].push_back(limit_json(spec));
  }
  return file.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::string limits_yaml(std::span<const LimitSpec> specs) {
  if (specs.empty()) {
    return "limits: []\n";
  }
  ordered_json defaults = limit_json(LimitSpec{});
  for (const char* always : {"name", "rate", "burst"}) {
    defaults.erase(always);
  }
  std::string out = "limits:\n";
  for (const LimitSpec& spec : specs) {
    ordered_json limit = limit_json(spec);
    strip(limit, defaults);
    std::string entry;
    append_yaml(entry, limit, "    ");
    // The first field carries the list's dash.
    out += "  - " + entry.substr(4);
  }
  return out;
}

}  // namespace brigade::api
