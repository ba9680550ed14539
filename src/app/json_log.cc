#include "app/json_log.h"

#include <string>
#include <string_view>

#include <spdlog/pattern_formatter.h>

#include "api/json_text.h"

namespace brigade::app {
namespace {

// The message as a JSON string, quotes included.
class QuotedMessage : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    std::string quoted;
    api::append_json_string(quoted, {message.payload.data(), message.payload.size()});
    out.append(quoted.data(), quoted.data() + quoted.size());
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<QuotedMessage>();
  }
};

}  // namespace

std::unique_ptr<spdlog::formatter> json_log() {
  auto lines = std::make_unique<spdlog::pattern_formatter>();
  lines->add_flag<QuotedMessage>('*').set_pattern(
      R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","message":%*})");
  return lines;
}

}  // namespace brigade::app
