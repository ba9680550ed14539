#include "app/replay/access_log.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>

namespace brigade::replay {
namespace {

constexpr std::string_view kShape = "dd/Mon/yyyy:hh:mm:ss +hhmm";

std::optional<int> number(std::string_view digits) {
  int value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<unsigned> month_of(std::string_view name) {
  constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto found = std::find(kMonths.begin(), kMonths.end(), name);
  return found == kMonths.end()
             ? std::nullopt
             : std::optional(static_cast<unsigned>(found - kMonths.begin()) + 1U);
}

// "10/Oct/2000:13:55:36 -0700".
std::optional<std::int64_t> epoch_second(std::string_view text) {
  if (text.size() != kShape.size() || text[2] != '/' || text[6] != '/' || text[11] != ':' ||
      text[14] != ':' || text[17] != ':' || text[20] != ' ' ||
      (text[21] != '+' && text[21] != '-')) {
    return std::nullopt;
  }
  const auto day = number(text.substr(0, 2));
  const auto month = month_of(text.substr(3, 3));
  const auto year = number(text.substr(7, 4));
  const auto hour = number(text.substr(12, 2));
  const auto minute = number(text.substr(15, 2));
  const auto second = number(text.substr(18, 2));
  const auto zone_hours = number(text.substr(22, 2));
  const auto zone_minutes = number(text.substr(24, 2));
  if (!day || !month || !year || !hour || !minute || !second || !zone_hours || !zone_minutes ||
      *hour > 23 || *minute > 59 || *second > 60) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(*month),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) {
    return std::nullopt;
  }
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t ahead = (*zone_hours * 60 + *zone_minutes) * 60;
  const std::int64_t local = days * 86'400 + *hour * 3600 + *minute * 60 + *second;
  const std::int64_t utc = text[21] == '+' ? local - ahead : local + ahead;
  return utc < 0 ? std::nullopt : std::optional(utc);
}

}  // namespace

std::optional<LogLine> parse_log_line(std::string_view line) {
  const std::size_t space = line.find(' ');
  const std::size_t open = line.find('[');
  if (space == std::string_view::npos || space == 0 || open == std::string_view::npos ||
      open < space) {
    return std::nullopt;
  }
  const std::size_t close = line.find(']', open);
  if (close == std::string_view::npos) {
    return std::nullopt;
  }
  const auto second = epoch_second(line.substr(open + 1, close - open - 1));
  return second ? std::optional(LogLine{.host = line.substr(0, space), .second = *second})
                : std::nullopt;
}

}  // namespace brigade::replay
