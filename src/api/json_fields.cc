#include "api/json_fields.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

namespace brigade::api {
namespace {

using base::Error;
using base::Tokens;
using nlohmann::json;

constexpr int kDeepest = 8;

// Whole numbers exactly, others rounded up to a micro-token.
std::optional<Tokens> to_tokens(const json& value) {
  if (value.is_number_unsigned()) {
    const auto whole = value.get<std::uint64_t>();
    constexpr auto kMost = static_cast<std::uint64_t>(Tokens::kMaxMicro / Tokens::kMicro);
    return whole <= kMost ? std::optional(Tokens::whole(static_cast<std::int64_t>(whole)))
                          : std::nullopt;
  }
  if (!value.is_number_float()) {
    return std::nullopt;
  }
  const double micro = value.get<double>() * Tokens::kMicro;
  if (!(micro >= 0) || micro > static_cast<double>(Tokens::kMaxMicro)) {
    return std::nullopt;
  }
  // 0.1 * 1e6 may come out a hair above 100000: that is no finer amount.
  const double nearest = std::round(micro);
  const double amount = std::abs(micro - nearest) < 1e-3 ? nearest : std::ceil(micro);
  return Tokens::micro(static_cast<std::int64_t>(amount));
}

}  // namespace

base::Result<json> parse_json_object(std::string_view text) {
  bool too_deep = false;
  std::string twice;
  std::vector<std::set<std::string>> keys;
  const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start) {
      keys.emplace_back();
    } else if (event == json::parse_event_t::object_end) {
      keys.pop_back();
    } else if (event == json::parse_event_t::key) {
      if (!keys.back().insert(parsed.get_ref<const std::string&>()).second && twice.empty()) {
        twice = parsed.get<std::string>();
      }
    }
    too_deep = too_deep || depth > kDeepest;
    return !too_deep;
  };
  json value = json::parse(text, watch, false);
  if (too_deep) {
    return Error{"the JSON is nested too deeply"};
  }
  if (value.is_discarded()) {
    return Error{"expected one valid JSON object"};
  }
  if (!value.is_object()) {
    return Error{"expected a JSON object"};
  }
  if (!twice.empty()) {
    return Error{"'" + twice + "' is given twice"};
  }
  return value;
}

JsonFields::JsonFields(const json& object, std::string what)
    : object_(object), what_(std::move(what)) {
  if (!object_.is_object()) {
    fail("expected a JSON object");
  }
}

void JsonFields::fail(const std::string& message) {
  if (!error_) {
    error_ = Error{what_ + ": " + message};
  }
}

const json* JsonFields::find(const char* key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
    known_.emplace_back(key);
  }
  if (!object_.is_object()) {
    return nullptr;
  }
  const auto found = object_.find(key);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

bool JsonFields::has(const char* key) {
  return find(key) != nullptr;
}

void JsonFields::text(const char* key, std::string& out, std::size_t longest) {
  const json* value = find(key);
  if (value == nullptr) {
    return;
  }
  if (!value->is_string()) {
    fail(std::string(key) + ": expected a string");
    return;
  }
  const auto& content = value->get_ref<const std::string&>();
  if (content.size() > longest) {
    fail(std::string(key) + ": expected at most " + std::to_string(longest) + " bytes");
    return;
  }
  out = content;
}

void JsonFields::name(const char* key, std::string& out, std::size_t longest) {
  if (!has(key)) {
    fail(std::string(key) + " is missing");
    return;
  }
  text(key, out, longest);
  if (out.empty()) {
    fail(std::string(key) + ": expected a text that is not empty");
  }
}

void JsonFields::flag(const char* key, bool& out) {
  if (const json* value = find(key); value != nullptr) {
    if (value->is_boolean()) {
      out = value->get<bool>();
    } else {
      fail(std::string(key) + ": expected true or false");
    }
  }
}

void JsonFields::tokens(const char* key, Tokens& out) {
  std::optional<Tokens> amount;
  tokens(key, amount);
  out = amount.value_or(out);
}

void JsonFields::tokens(const char* key, std::optional<Tokens>& out) {
  if (const json* value = find(key); value != nullptr) {
    if (const auto amount = to_tokens(*value)) {
      out = amount;
    } else {
      fail(std::string(key) + ": expected a number of tokens from 0 to 1.1e12");
    }
  }
}

void JsonFields::integer(const char* key, std::int64_t& out, std::int64_t least,
                         std::int64_t most) {
  const json* value = find(key);
  if (value == nullptr) {
    return;
  }
  const bool fits =
      value->is_number_integer() &&
      (!value->is_number_unsigned() ||
       value->get<std::uint64_t>() <= static_cast<std::uint64_t>(std::max<std::int64_t>(0, most)));
  if (!fits || value->get<std::int64_t>() < least || value->get<std::int64_t>() > most) {
    fail(std::string(key) + ": expected a whole number from " + std::to_string(least) + " to " +
         std::to_string(most));
    return;
  }
  out = value->get<std::int64_t>();
}

base::Status JsonFields::done() {
  if (!error_) {
    for (const auto& [key, value] : object_.items()) {
      if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
        std::string expected;
        for (const std::string_view name : known_) {
          expected += expected.empty() ? "" : ", ";
          expected += name;
        }
        std::string unknown = "unknown key '";
        fail(unknown.append(key).append("'; expected one of ").append(expected));
        break;
      }
    }
  }
  return error_ ? base::Status(*error_) : base::ok();
}

}  // namespace brigade::api
