#include "api/metrics_text.h"

#include <array>
#include <charconv>
#include <cmath>

namespace brigade::api {
namespace {

void append_label_value(std::string& out, std::string_view value) {
  for (const char c : value) {
    switch (c) {
      case '\\':
        out += "\\\\";
        break;
      case '"':
        out += "\\\"";
        break;
      case '\n':
        out += "\\n";
        break;
      default:
        // Names of limits and nodes are ASCII; whatever else would spoil the whole scrape.
        out += static_cast<unsigned char>(c) < 0x80 ? c : '?';
    }
  }
}

}  // namespace

std::string number_text(double value) {
  if (std::isnan(value)) {
    return "NaN";
  }
  if (std::isinf(value)) {
    return value > 0 ? "+Inf" : "-Inf";
  }
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

void MetricsText::family(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  text_ += "# HELP " + name_ + " ";
  text_ += help;
  text_ += "\n# TYPE " + name_ + " ";
  text_ += type;
  text_ += '\n';
}

void MetricsText::sample(std::span<const Label> labels, double value, std::string_view suffix) {
  text_ += name_;
  text_ += suffix;
  if (!labels.empty()) {
    char separator = '{';
    for (const auto& [name, content] : labels) {
      text_ += separator;
      text_ += name;
      text_ += "=\"";
      append_label_value(text_, content);
      text_ += '"';
      separator = ',';
    }
    text_ += '}';
  }
  text_ += ' ';
  text_ += number_text(value);
  text_ += '\n';
}

}  // namespace brigade::api
