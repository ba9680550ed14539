#include "app/cli/http_reply.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

namespace brigade::cli {
namespace {

constexpr std::string_view kBlank = " \t";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool same_letters(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

// All of `text` as a number.
std::optional<std::size_t> number(std::string_view text, int base) {
  std::size_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, value, base);
  return error == std::errc{} && parsed == end && !text.empty() ? std::optional(value)
                                                                : std::nullopt;
}

}  // namespace

HttpReplyReader::State HttpReplyReader::feed(std::string_view bytes) {
  if (stage_ == Stage::kDone || stage_ == Stage::kBroken) {
    return state();
  }
  pending_ += bytes;
  while (advance()) {
  }
  return state();
}

HttpReplyReader::State HttpReplyReader::ended() {
  if (stage_ == Stage::kUntilEnd) {
    stage_ = Stage::kDone;
  } else if (stage_ != Stage::kDone) {
    stage_ = Stage::kBroken;
  }
  return state();
}

HttpReplyReader::State HttpReplyReader::state() const {
  switch (stage_) {
    case Stage::kDone:
      return State::kDone;
    case Stage::kBroken:
      return State::kBroken;
    default:
      return State::kMore;
  }
}

bool HttpReplyReader::advance() {
  switch (stage_) {
    case Stage::kHead:
      return read_head();
    case Stage::kLength:
      return take_body(Stage::kDone);
    case Stage::kUntilEnd:
      expected_ = pending_.size();
      take_body(Stage::kUntilEnd);
      return stage_ == Stage::kBroken;
    case Stage::kChunkSize:
      return read_chunk_size();
    case Stage::kChunk:
      return take_body(Stage::kChunkEnd);
    case Stage::kChunkEnd: {
      std::string line;
      if (!take_line(line)) {
        return false;
      }
      stage_ = line.empty() ? Stage::kChunkSize : Stage::kBroken;
      return true;
    }
    case Stage::kTrailer:
      return read_trailer();
    default:
      return false;
  }
}

bool HttpReplyReader::take_line(std::string& line) {
  const std::size_t end = pending_.find("\r\n");
  if (end == std::string::npos) {
    if (pending_.size() > kHeadMax) {
      stage_ = Stage::kBroken;
    }
    return false;
  }
  line = pending_.substr(0, end);
  pending_.erase(0, end + 2);
  return true;
}

bool HttpReplyReader::read_head() {
  constexpr std::string_view kVersion = "HTTP/1.";
  if (pending_.compare(0, kVersion.size(), kVersion.substr(0, pending_.size())) != 0) {
    stage_ = Stage::kBroken;
    return false;
  }
  spoke_http_ = pending_.size() >= kVersion.size();
  if (pending_.find("\r\n\r\n") == std::string::npos) {
    if (pending_.size() > kHeadMax) {
      stage_ = Stage::kBroken;
    }
    return false;
  }
  std::string line;
  take_line(line);
  // HTTP/1.1 200 OK
  const auto status = line.size() >= 12 && line[8] == ' '
                          ? number(std::string_view(line).substr(9, 3), 10)
                          : std::nullopt;
  if (!status || *status < 100) {
    stage_ = Stage::kBroken;
    return false;
  }
  reply_.status = static_cast<int>(*status);
  has_length_ = chunked_ = false;
  expected_ = 0;
  while (take_line(line) && !line.empty() && stage_ == Stage::kHead) {
    read_header(line);
  }
  if (stage_ == Stage::kBroken || *status < 200) {
    return stage_ != Stage::kBroken;  // an interim reply: the real one follows
  }
  if (chunked_) {
    stage_ = Stage::kChunkSize;
  } else if (has_length_ || *status == 204 || *status == 304) {
    stage_ = expected_ > kBodyMax ? Stage::kBroken : Stage::kLength;
  } else {
    stage_ = Stage::kUntilEnd;
  }
  return true;
}

void HttpReplyReader::read_header(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    stage_ = Stage::kBroken;
    return;
  }
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (same_letters(name, "Content-Length")) {
    const auto length = number(value, 10);
    if (!length || (has_length_ && *length != expected_)) {
      stage_ = Stage::kBroken;
      return;
    }
    has_length_ = true;
    expected_ = *length;
  } else if (same_letters(name, "Transfer-Encoding")) {
    if (!same_letters(value, "chunked")) {
      stage_ = Stage::kBroken;
      return;
    }
    chunked_ = true;
  }
}

bool HttpReplyReader::take_body(Stage next) {
  const std::size_t taken = std::min(expected_, pending_.size());
  if (reply_.body.size() + taken > kBodyMax) {
    stage_ = Stage::kBroken;
    return false;
  }
  reply_.body.append(pending_, 0, taken);
  pending_.erase(0, taken);
  expected_ -= taken;
  if (expected_ > 0) {
    return false;
  }
  stage_ = next;
  return true;
}

bool HttpReplyReader::read_chunk_size() {
  std::string line;
  if (!take_line(line)) {
    return false;
  }
  const auto size = number(trimmed(std::string_view(line).substr(0, line.find(';'))), 16);
  if (!size || *size > kBodyMax) {
    stage_ = Stage::kBroken;
    return false;
  }
  expected_ = *size;
  stage_ = *size == 0 ? Stage::kTrailer : Stage::kChunk;
  return true;
}

bool HttpReplyReader::read_trailer() {
  std::string line;
  if (!take_line(line)) {
    return false;
  }
  if (line.empty()) {
    stage_ = Stage::kDone;
  }
  return true;
}

}  // namespace brigade::cli
