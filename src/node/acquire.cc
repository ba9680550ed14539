#include "node/acquire.h"

#include <array>
#include <charconv>

namespace brigade::node {
namespace {

void append_hex(std::string& out, std::uint64_t value) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
  out.append(digits.data(), end);
}

}  // namespace

std::string to_text(const ReservationId& id) {
  std::string text;
  append_hex(text, id.node);
  text += '-';
  append_hex(text, id.boot);
  text += '-';
  append_hex(text, id.sequence);
  return text;
}

bool parse(std::string_view text, ReservationId& out) {
  const char* at = text.data();
  const char* const end = at + text.size();
  std::array<std::uint64_t*, 3> parts{&out.node, &out.boot, &out.sequence};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) {
      if (at == end || *at != '-') {
        return false;
      }
      ++at;
    }
    const auto [next, error] = std::from_chars(at, end, *parts.at(i), 16);
    if (error != std::errc{}) {
      return false;
    }
    at = next;
  }
  return at == end && out.sequence != 0;
}

bool cast_shadow(Decision& decision) {
  switch (decision.verdict) {
    case Verdict::kRefused:
    case Verdict::kNever:
    case Verdict::kNoRights:
    case Verdict::kTooManyKeys:
    case Verdict::kTooManyWaiting:
      break;
    case Verdict::kAdmitted:
    case Verdict::kUnknownLimit:
    case Verdict::kBadRequest:
    case Verdict::kDraining:
    case Verdict::kKeyMissing:
    case Verdict::kKeyUnwanted:
    case Verdict::kUnknownPriority:
    case Verdict::kIdUnwanted:
      return false;
  }
  decision.verdict = Verdict::kAdmitted;
  decision.source = Source::kShadow;
  decision.retry_after = Duration::zero();
  decision.valid_until = base::kNever;
  return true;
}

const char* to_text(Source source) {
  switch (source) {
    case Source::kLocal:
      return "local";
    case Source::kBorrowed:
      return "borrowed";
    case Source::kHome:
      return "home";
    case Source::kStrict:
      return "strict";
    case Source::kShadow:
      return "shadow";
  }
  return "local";
}

}  // namespace brigade::node
