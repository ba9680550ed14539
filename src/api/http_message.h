// What an HTTP request asks and what it is told, as plain values: routes and answers are pure
// functions of them, tested without a socket.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brigade::api {

// Views live for the call.
struct HttpRequest {
  std::string_view method;  // upper case
  std::string_view path;    // as sent: percent-encoded, without the query
  std::string_view query;   // without the '?'
  std::string_view body;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

// {"error":{"code","message"}}; bytes of the message that are no UTF-8 are replaced.
HttpResponse error_response(int status, std::string_view code, std::string_view message);
// 400 with code bad_request.
HttpResponse bad_request(std::string_view message);
// 404 with code unknown_limit, and what to do.
HttpResponse unknown_limit(const std::string& name);

// "%2F" becomes "/"; nullopt when a '%' is not followed by two hex digits.
std::optional<std::string> percent_decoded(std::string_view text);
// The decoded value of `name` in "a=b&c=d"; empty for a bare name, nullopt when it is not there.
std::optional<std::string> query_value(std::string_view query, std::string_view name);

}  // namespace brigade::api
