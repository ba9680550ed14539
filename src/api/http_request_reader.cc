#include "api/http_request_reader.h"

#include <algorithm>
#include <utility>

#include <http_parser.h>

namespace brigade::api {
namespace {

constexpr std::string_view kExpect = "expect";
constexpr std::string_view kContinue = "100-continue";

bool same_letters(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

}  // namespace

// The C parser and its callbacks; each returns 0 to go on.
struct HttpRequestReader::Parser {
  http_parser state{};

  static HttpRequestReader& reader(http_parser* parser) {
    return *static_cast<HttpRequestReader*>(parser->data);
  }

  static int on_url(http_parser* parser, const char* bytes, std::size_t size) {
    reader(parser).target_.append(bytes, size);
    return reader(parser).count_head(size) ? 0 : 1;
  }

  static int on_field(http_parser* parser, const char* bytes, std::size_t size) {
    HttpRequestReader& self = reader(parser);
    if (self.in_value_) {
      self.in_value_ = false;
      self.field_.clear();
      self.value_.clear();
    }
    self.field_.append(bytes, size);
    return self.count_head(size) ? 0 : 1;
  }

  static int on_value(http_parser* parser, const char* bytes, std::size_t size) {
    HttpRequestReader& self = reader(parser);
    if (!self.in_value_ && self.field_.find(' ') != std::string::npos) {
      // The parser lets it pass; others read another name (RFC 9112, 5.1).
      self.refuse(bad_request("a space in the name of a header"));
      return 1;
    }
    self.in_value_ = true;
    if (same_letters(self.field_, kExpect)) {
      self.value_.append(bytes, size);
      self.wants_continue_ = same_letters(self.value_, kContinue);
    }
    return self.count_head(size) ? 0 : 1;
  }

  static int on_head(http_parser* parser) {
    HttpRequestReader& self = reader(parser);
    // Offers of another protocol are not taken up: what follows is HTTP all the same.
    parser->upgrade = 0;
    const bool stated = (parser->flags & F_CONTENTLENGTH) != 0;
    if (stated && parser->content_length > self.limits_.body) {
      self.refuse(self.too_large());
      return -1;  // 1 would mean that there is no body
    }
    self.expectation_ = self.wants_continue_ && !self.http_1_0();
    return 0;
  }

  static int on_body(http_parser* parser, const char* bytes, std::size_t size) {
    HttpRequestReader& self = reader(parser);
    self.expectation_ = false;
    if (self.body_.size() + size > self.limits_.body) {
      self.refuse(self.too_large());
      return 1;
    }
    self.body_.append(bytes, size);
    return 0;
  }

  static int on_whole(http_parser* parser) {
    reader(parser).whole_ = true;
    http_parser_pause(parser, 1);
    return 0;
  }

  static http_parser_settings callbacks() {
    http_parser_settings settings{};
    settings.on_url = &on_url;
    settings.on_header_field = &on_field;
    settings.on_header_value = &on_value;
    settings.on_headers_complete = &on_head;
    settings.on_body = &on_body;
    settings.on_message_complete = &on_whole;
    return settings;
  }
};

HttpRequestReader::HttpRequestReader(const HttpReadLimits& limits)
    : limits_(limits), parser_(std::make_unique<Parser>()) {
  http_parser_init(&parser_->state, HTTP_REQUEST);
  parser_->state.data = this;
}

HttpRequestReader::~HttpRequestReader() = default;

void HttpRequestReader::begin() {
  method_.clear();
  target_.clear();
  path_ = query_ = {};
  body_.clear();
  if (body_.capacity() > limits_.head) {  // an idle connection costs little
    body_.shrink_to_fit();
  }
  field_.clear();
  value_.clear();
  head_bytes_ = 0;
  in_value_ = wants_continue_ = expectation_ = whole_ = false;
  http_parser_pause(&parser_->state, 0);
}

void HttpRequestReader::refuse(HttpResponse refusal) {
  if (!refusal_) {
    refusal_ = std::move(refusal);
  }
}

HttpResponse HttpRequestReader::too_large() const {
  return error_response(413, "too_large",
                        "expected a body of at most " + std::to_string(limits_.body) + " bytes");
}

bool HttpRequestReader::count_head(std::size_t bytes) {
  head_bytes_ += bytes;
  if (head_bytes_ > limits_.head) {
    refuse(error_response(431, "head_too_large",
                          "expected a request line and headers of at most " +
                              std::to_string(limits_.head) + " bytes together"));
    return false;
  }
  return true;
}

HttpRequestReader::Fed HttpRequestReader::feed(std::string_view bytes) {
  if (refusal_) {
    return {.state = State::kRefused, .used = bytes.size()};
  }
  if (whole_) {
    begin();
  }
  if (bytes.empty()) {
    return {};
  }
  static const http_parser_settings kCallbacks = Parser::callbacks();
  http_parser& parser = parser_->state;
  const std::size_t used = http_parser_execute(&parser, &kCallbacks, bytes.data(), bytes.size());
  if (whole_) {
    method_ = http_method_str(static_cast<http_method>(parser.method));
    if (split_target()) {
      return {.state = State::kRequest, .used = used};
    }
    refuse(bad_request("the request's target is not a URL"));
  } else if (const http_errno error = HTTP_PARSER_ERRNO(&parser); error != HPE_OK) {
    refuse(bad_request(std::string("this is not HTTP/1.1: ") + http_errno_description(error)));
  }
  return refusal_ ? Fed{.state = State::kRefused, .used = bytes.size()}
                  : Fed{.state = State::kMore, .used = used};
}

// Both "/path?query" and "http://host/path?query".
bool HttpRequestReader::split_target() {
  http_parser_url url{};
  const bool connects = parser_->state.method == HTTP_CONNECT;
  if (http_parser_parse_url(target_.data(), target_.size(), connects ? 1 : 0, &url) != 0) {
    return false;
  }
  const auto part = [&](http_parser_url_fields field) -> std::string_view {
    if ((url.field_set & (1U << static_cast<unsigned>(field))) == 0) {
      return {};
    }
    return std::string_view(target_).substr(url.field_data[field].off, url.field_data[field].len);
  };
  path_ = part(UF_PATH);
  query_ = part(UF_QUERY);
  return true;
}

HttpRequest HttpRequestReader::request() const {
  return {.method = method_, .path = path_, .query = query_, .body = body_};
}

bool HttpRequestReader::keep_alive() const {
  return http_should_keep_alive(&parser_->state) != 0;
}

bool HttpRequestReader::http_1_0() const {
  return parser_->state.http_major == 1 && parser_->state.http_minor == 0;
}

bool HttpRequestReader::take_expectation() {
  return std::exchange(expectation_, false) && !whole_ && !refusal_;
}

}  // namespace brigade::api
