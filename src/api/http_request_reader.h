// Reads HTTP/1.x requests out of bytes as they arrive. Knows no socket; the grammar is
// http_parser's (RFC 9112), limits and errors are ours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/http_message.h"

namespace brigade::api {

struct HttpReadLimits {
  std::size_t body = std::size_t{1} << 20U;
  std::size_t head = std::size_t{16} << 10U;  // request line and headers together
};

class HttpRequestReader {
 public:
  enum class State : std::uint8_t {
    kMore,     // all bytes are used, the request goes on
    kRequest,  // request() is whole
    kRefused,  // refusal() says why; nothing more is read
  };
  struct Fed {
    State state = State::kMore;
    std::size_t used = 0;  // bytes; the rest belongs to the next request
  };

  explicit HttpRequestReader(const HttpReadLimits& limits);
  ~HttpRequestReader();
  HttpRequestReader(const HttpRequestReader&) = delete;
  HttpRequestReader& operator=(const HttpRequestReader&) = delete;

  // After kRequest the next call begins the next request.
  Fed feed(std::string_view bytes);

  // Views live until the next feed. Requires: the last state was kRequest.
  [[nodiscard]] HttpRequest request() const;
  // Whether the client wants the connection to stay, and whether that must be said (HTTP/1.0).
  [[nodiscard]] bool keep_alive() const;
  [[nodiscard]] bool http_1_0() const;
  // Requires: the last state was kRefused.
  [[nodiscard]] const HttpResponse& refusal() const { return *refusal_; }
  // Memory for the request that is read, in bytes.
  [[nodiscard]] std::size_t held() const {
    return target_.capacity() + body_.capacity() + field_.capacity() + value_.capacity();
  }
  // Whether the client waits for "100 Continue" before it sends the body; true once.
  bool take_expectation();

 private:
  struct Parser;

  void begin();
  bool count_head(std::size_t bytes);
  void refuse(HttpResponse refusal);
  [[nodiscard]] HttpResponse too_large() const;
  [[nodiscard]] bool split_target();

  HttpReadLimits limits_;
  std::unique_ptr<Parser> parser_;
  std::string method_;
  std::string target_;  // as sent
  std::string_view path_;
  std::string_view query_;
  std::string body_;
  std::string field_;  // the name of the header that is being read
  std::string value_;  // its value, of those that matter
  std::size_t head_bytes_ = 0;
  bool in_value_ = false;
  bool wants_continue_ = false;  // the head says so
  bool expectation_ = false;     // the head is whole and the client waits
  bool whole_ = false;
  std::optional<HttpResponse> refusal_;
};

}  // namespace brigade::api
