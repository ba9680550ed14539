// Texts that come line by line, from a file or the standard input. Errors name source and line.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace brigade::app {

// Where a reader is in its text.
class Place {
 public:
  // `source` names the text in errors. Requires: it outlives this.
  explicit Place(const std::string& source) : source_(source) {}

  // Goes on to the next line and leaves what it says in `text`: no mark of UTF-8, no carriage
  // return. False when it says nothing: it is empty, or a comment that begins with '#'.
  bool next(std::string_view& text) {
    constexpr std::string_view kMark = "\xEF\xBB\xBF";
    if (++number_ == 1 && text.starts_with(kMark)) {
      text.remove_prefix(kMark.size());
    }
    if (text.ends_with('\r')) {
      text.remove_suffix(1);
    }
    return !text.empty() && text.front() != '#';
  }
  [[nodiscard]] base::Error wrong(const std::string& what) const {
    return {source_ + ":" + std::to_string(number_) + ": " + what};
  }
  [[nodiscard]] const std::string& source() const { return source_; }

 private:
  const std::string& source_;
  std::size_t number_ = 0;  // from 1
};

// What `Reader` makes of the text: it is begun with the source's name, gets each line by line(text)
// and answers with finish().
template <class Reader>
auto read_lines(std::istream& in, const std::string& source) {
  using Outcome = decltype(std::declval<Reader&>().finish());
  Reader reader(source);
  std::string line;
  while (std::getline(in, line)) {
    if (auto status = reader.line(line); !status) {
      return Outcome(status.error());
    }
  }
  return in.bad() ? Outcome(base::Error{source + ": reading failed"}) : reader.finish();
}

// The same of a file; "-" is the standard input.
template <class Reader>
auto read_lines_of(const std::string& path) {
  using Outcome = decltype(std::declval<Reader&>().finish());
  if (path == "-") {
    return read_lines<Reader>(std::cin, "standard input");
  }
  std::ifstream file(path);
  if (!file) {
    return Outcome(base::Error{"cannot read " + path + ": " + std::strerror(errno)});
  }
  return read_lines<Reader>(file, path);
}

}  // namespace brigade::app
