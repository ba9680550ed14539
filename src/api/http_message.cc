#include "api/http_message.h"

#include <charconv>

#include "api/json_text.h"

namespace brigade::api {

HttpResponse error_response(int status, std::string_view code, std::string_view message) {
  HttpResponse response{.status = status};
  response.body = R"({"error":{"code":)";
  append_json_string(response.body, code);
  response.body += R"(,"message":)";
  append_json_string(response.body, message);
  response.body += "}}";
  return response;
}

HttpResponse bad_request(std::string_view message) {
  return error_response(400, "bad_request", message);
}

HttpResponse unknown_limit(const std::string& name) {
  return error_response(404, "unknown_limit",
                        "no limit is named '" + name +
                            "'; `brigade limits` lists what is declared, `brigade limit apply "
                            "FILE` declares more");
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (text.size() - i < 3) {
      return std::nullopt;
    }
    unsigned char byte = 0;
    const char* const end = text.data() + i + 3;
    const auto [parsed, error] = std::from_chars(text.data() + i + 1, end, byte, 16);
    if (error != std::errc{} || parsed != end) {
      return std::nullopt;
    }
    decoded += static_cast<char>(byte);
    i += 2;
  }
  return decoded;
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = pair.find('=');
    if (pair.substr(0, equals) == name) {
      return percent_decoded(equals == std::string_view::npos ? "" : pair.substr(equals + 1));
    }
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
  }
  return std::nullopt;
}

}  // namespace brigade::api
