// Prometheus' text format 0.0.4.
// Source: https://prometheus.io/docs/instrumenting/exposition_formats/
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace brigade::api {

using Label = std::pair<std::string_view, std::string_view>;

// Writes families one after the other. Names must be valid metric and label names; values of labels
// may be any bytes (what is no UTF-8 becomes '?').
class MetricsText {
 public:
  // Opens a family; its samples follow. `type` is counter, gauge or histogram.
  void family(std::string_view name, std::string_view type, std::string_view help);
  // A sample of the open family; `suffix` is appended to its name ("_bucket").
  void sample(std::span<const Label> labels, double value, std::string_view suffix = "");
  void sample(std::initializer_list<Label> labels, double value, std::string_view suffix = "") {
    sample(std::span<const Label>(labels.begin(), labels.size()), value, suffix);
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::string name_;
};

// The shortest decimal text that reads back as the same double; +Inf, -Inf and NaN as Prometheus
// writes them.
std::string number_text(double value);

}  // namespace brigade::api
