#include "app/replay/protocol.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "api/json_text.h"

namespace brigade::replay {
namespace {

constexpr std::size_t kElementsMax = 16;

void append_bulk(std::string& out, std::string_view text) {
  out += '$';
  out += std::to_string(text.size());
  out += "\r\n";
  out += text;
  out += "\r\n";
}

bool to_size(std::string_view digits, std::size_t& out) {
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return error == std::errc{} && end == digits.data() + digits.size();
}

Source source_of(std::string_view name) {
  const auto found = std::find(kSourceNames.begin(), kSourceNames.end(), name);
  return found == kSourceNames.end() ? Source::kOther
                                     : static_cast<Source>(found - kSourceNames.begin());
}

}  // namespace

void append_acquire(std::string& out, const Ask& ask) {
  out += ask.key.empty() ? "*4\r\n" : "*6\r\n";
  append_bulk(out, "BRIGADE.ACQUIRE");
  append_bulk(out, ask.limit);
  if (!ask.key.empty()) {
    append_bulk(out, "KEY");
    append_bulk(out, ask.key);
  }
  append_bulk(out, "COST");
  std::string cost;
  api::append_json_tokens(cost, ask.cost);
  append_bulk(out, cost);
}

void ReplyReader::feed(std::string_view bytes) {
  input_.erase(0, at_);
  at_ = 0;
  input_ += bytes;
}

ReplyReader::Line ReplyReader::take_line(std::size_t& at, std::string_view& line) const {
  const std::size_t end = input_.find("\r\n", at);
  if (end == std::string::npos) {
    return input_.size() - at > kReplyBytesMax ? Line::kBroken : Line::kMore;
  }
  line = std::string_view(input_).substr(at, end - at);
  at = end + 2;
  return line.empty() ? Line::kBroken : Line::kWhole;
}

ReplyReader::Line ReplyReader::take_element(std::size_t& at, std::string_view& element) const {
  std::string_view line;
  if (const Line taken = take_line(at, line); taken != Line::kWhole) {
    return taken;
  }
  element = line.substr(1);
  if (line == "$-1" || line == "_") {
    element = {};
    return Line::kWhole;
  }
  if (line.front() == ':' || line.front() == '+') {
    return Line::kWhole;
  }
  std::size_t size = 0;
  if (line.front() != '$' || !to_size(element, size) || size > kReplyBytesMax) {
    return Line::kBroken;
  }
  if (input_.size() - at < size + 2) {
    return Line::kMore;
  }
  element = std::string_view(input_).substr(at, size);
  at += size + 2;
  return Line::kWhole;
}

ReplyReader::Next ReplyReader::next(Reply& out) {
  std::size_t at = at_;
  std::string_view line;
  if (const Line taken = take_line(at, line); taken != Line::kWhole) {
    return taken == Line::kMore ? Next::kMore : Next::kBroken;
  }
  if (line.front() == '-') {
    out = {.error = line.size() > 1 ? std::string(line.substr(1)) : "an error without a text"};
    at_ = at;
    return Next::kReply;
  }
  std::size_t elements = 0;
  if (line.front() != '*' || !to_size(line.substr(1), elements) || elements < 4 ||
      elements > kElementsMax) {
    return Next::kBroken;
  }
  return decided(at, elements, out);
}

// [admitted, remaining, retry_after_ms, source, reservation or nil], perhaps more in later
// versions.
ReplyReader::Next ReplyReader::decided(std::size_t at, std::size_t elements, Reply& out) {
  std::array<std::string_view, kElementsMax> values;
  for (std::size_t i = 0; i < elements; ++i) {
    if (const Line taken = take_element(at, values.at(i)); taken != Line::kWhole) {
      return taken == Line::kMore ? Next::kMore : Next::kBroken;
    }
  }
  if (values[0] != "0" && values[0] != "1") {
    return Next::kBroken;
  }
  out = {.admitted = values[0] == "1", .source = source_of(values[3]), .error = {}};
  at_ = at;
  return Next::kReply;
}

}  // namespace brigade::replay
