#include "api/redis_words.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

namespace brigade::api {
namespace {

using base::Tokens;

constexpr std::int64_t kWaitMaxMs = 3'600'000;

// Those from kTakes on mean something only when tokens are taken.
enum class Option : std::uint8_t { kKey, kCost, kPriority, kWait, kReserve, kId };
constexpr std::array<std::string_view, 6> kOptions{"KEY",  "COST",    "PRIORITY",
                                                   "WAIT", "RESERVE", "ID"};
constexpr Option kTakes = Option::kWait;

std::optional<Option> option_named(std::string_view word) {
  for (std::size_t i = 0; i < kOptions.size(); ++i) {
    if (same(word, kOptions[i])) {
      return static_cast<Option>(i);
    }
  }
  return std::nullopt;
}

// What is wrong with an option's value; nullptr when nothing is.
const char* read_value(Option option, std::string_view value, node::AcquireRequest& request) {
  switch (option) {
    case Option::kKey:
      request.key = value;
      return nullptr;
    case Option::kPriority:
      request.priority = value;
      return nullptr;
    case Option::kId:
      request.id = value;
      return nullptr;
    case Option::kReserve:
      request.reserve = true;
      return nullptr;
    case Option::kCost:
      return to_tokens(value, request.cost)
                 ? nullptr
                 : "COST: expected tokens from 0 to 1.1e12, with at most six decimals";
    case Option::kWait:
      break;
  }
  std::int64_t ms = 0;
  if (!to_integer(value, ms) || ms < 0 || ms > kWaitMaxMs) {
    return "WAIT: expected milliseconds from 0 to 3600000";
  }
  request.wait = base::milliseconds(ms);
  return nullptr;
}

}  // namespace

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return (x >= 'a' && x <= 'z' ? x - 'a' + 'A' : x) == y;
         });
}

bool to_integer(std::string_view text, std::int64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

bool to_tokens(std::string_view text, Tokens& out) {
  const std::size_t dot = text.find('.');
  std::int64_t whole = 0;
  if (!to_integer(text.substr(0, dot), whole) || whole < 0 ||
      whole > Tokens::kMaxMicro / Tokens::kMicro - 1) {
    return false;
  }
  std::int64_t micro = 0;
  if (dot != std::string_view::npos) {
    std::string_view decimals = text.substr(dot + 1);
    if (decimals.empty() || decimals.size() > 6 || !to_integer(decimals, micro) || micro < 0) {
      return false;
    }
    for (std::size_t i = decimals.size(); i < 6; ++i) {
      micro *= 10;
    }
  }
  out = Tokens::micro(whole * Tokens::kMicro + micro);
  return true;
}

const char* acquire_form(bool peek) {
  return peek ? "BRIGADE.PEEK limit [KEY k] [COST n] [PRIORITY c]"
              : "BRIGADE.ACQUIRE limit [KEY k] [COST n] [WAIT ms] [PRIORITY c] [RESERVE] [ID id]";
}

std::optional<std::string> read_options(std::span<const std::string_view> words,
                                        node::AcquireRequest& request) {
  constexpr std::size_t kShown = 64;
  unsigned seen = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto option = option_named(words[i]);
    if (!option) {
      return "unknown option '" + std::string(words[i].substr(0, kShown)) + "'; expected " +
             acquire_form(request.peek);
    }
    const std::string name(kOptions[static_cast<std::size_t>(*option)]);
    const unsigned bit = 1U << static_cast<unsigned>(*option);
    if ((seen & bit) != 0) {
      return name + " is given twice";
    }
    seen |= bit;
    if (request.peek && *option >= kTakes) {
      return name + " means nothing where nothing is taken; expected " + acquire_form(request.peek);
    }
    std::string_view value;
    if (*option != Option::kReserve) {
      if (++i == words.size()) {
        return name + ": expected a value behind it";
      }
      value = words[i];
    }
    if (const char* wrong = read_value(*option, value, request)) {
      return wrong;
    }
  }
  return std::nullopt;
}

}  // namespace brigade::api
