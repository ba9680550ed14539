#include "app/cli/answer_text.h"

#include "app/cli/flags.h"
#include "app/cli/table.h"

namespace brigade::cli {
namespace {

// What an override says: "pin 100, no-lend".
std::string settings_text(const json& override_) {
  std::vector<std::string> settings;
  for (const char* key : {"pin", "min", "max"}) {
    if (at(override_, key).is_number()) {
      settings.push_back(std::string(key) + " " + number_text(number_at(override_, key)));
    }
  }
  if (flag_at(override_, "freeze")) {
    settings.emplace_back("freeze");
  }
  if (flag_at(override_, "no_lend")) {
    settings.emplace_back("no-lend");
  }
  return joined(settings);
}

std::string expiry_text(const json& override_, double now_ms) {
  const double expires_ms = number_at(override_, "expires_ms");
  if (expires_ms <= 0) {
    return "never";
  }
  return expires_ms <= now_ms ? "expired" : "in " + span_text((expires_ms - now_ms) / 1000);
}

}  // namespace

Outcome acquire_outcome(const json& answer) {
  const bool admitted = flag_at(answer, "admitted");
  Outcome outcome{.exit_code = admitted ? kOk : kNegative};
  if (admitted) {
    outcome.out = "admitted";
  } else if (number_at(answer, "retry_after_ms") <= -2) {
    outcome.out = "refused for good: the cost is more than the limit can ever hold";
  } else {
    outcome.out = "refused, retry after " + milliseconds_text(number_at(answer, "retry_after_ms"));
  }
  if (const std::string limit = text_at(answer, "refused_by"); !limit.empty()) {
    outcome.out += ", by " + printable(limit);
  }
  outcome.out += ", remaining " + number_text(number_at(answer, "remaining"));
  if (const std::string source = text_at(answer, "source"); !source.empty()) {
    outcome.out += ", source " + printable(source);
  }
  if (const std::string reservation = text_at(answer, "reservation"); !reservation.empty()) {
    outcome.out += ", reservation " + printable(reservation);
  }
  outcome.out += '\n';
  return outcome;
}

Outcome wait_note(const json& limit, long long wait_ms) {
  const std::string allowed = text_at(at(limit, "queue"), "max_wait");
  const std::string name = text_at(limit, "name");
  if (allowed.empty() || milliseconds_of(allowed) >= wait_ms) {
    return {};
  }
  const bool none = milliseconds_of(allowed) == 0;
  return {.exit_code = kOk,
          .out = {},
          .err = printable("brigade: " + name + " lets no request wait" +
                           (none ? "" : " longer than " + allowed) + "; `queue: {max_wait: " +
                           milliseconds_text(static_cast<double>(wait_ms)) +
                           "}` in its declaration would allow it") +
                 '\n'};
}

Outcome settle_outcome(const json& answer) {
  return {.exit_code = kOk,
          .out = "settled, refunded " + number_text(number_at(answer, "refunded")) +
                 ", overdraft " + number_text(number_at(answer, "overdraft")) + '\n',
          .err = {}};
}

Outcome done_outcome(const std::string& what, const json& answer) {
  Outcome outcome{.out = what + '\n'};
  if (const auto laggards = texts_at(answer, "laggards"); !laggards.empty()) {
    outcome.exit_code = kNegative;
    outcome.err = "brigade: committed, but not served yet by " + printable(joined(laggards)) + '\n';
  }
  return outcome;
}

Outcome transfer_outcome(const json& answer) {
  return {.exit_code = kOk,
          .out = "moved " + number_text(number_at(answer, "tokens")) + " tokens\n",
          .err = {}};
}

Outcome overrides_outcome(const json& answer, double now_ms) {
  Table table({{"LIMIT"}, {"NODE"}, {"OVERRIDE"}, {"EXPIRES"}, {"AUTHOR"}, {"REASON"}});
  for (const json& one : list_at(answer, "overrides")) {
    table.row({text_at(one, "limit"), text_at(one, "node"), settings_text(one),
               expiry_text(one, now_ms), or_dash(text_at(one, "author")),
               or_dash(text_at(one, "reason"))});
  }
  return {.exit_code = kOk, .out = table.empty() ? "no overrides\n" : table.text(), .err = {}};
}

}  // namespace brigade::cli
