// Reads the fields of a JSON object strictly: unknown keys, wrong types and values out of range are
// told in words; the first thing that is wrong is kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "base/time.h"
#include "base/tokens.h"

namespace brigade::api {

// Parses a body that must be one JSON object without repeated keys. Nesting is at most 8 deep.
base::Result<nlohmann::json> parse_json_object(std::string_view text);

// Fields that are absent or null leave their target as it was. Requires: the object outlives this.
class JsonFields {
 public:
  // `what` opens every message: "acquire: ..."
  JsonFields(const nlohmann::json& object, std::string what);

  void text(const char* key, std::string& out, std::size_t longest);
  // A text that must be there and not be empty.
  void name(const char* key, std::string& out, std::size_t longest);
  void flag(const char* key, bool& out);
  // An amount >= 0; what is finer than a micro-token is rounded up.
  void tokens(const char* key, base::Tokens& out);
  void tokens(const char* key, std::optional<base::Tokens>& out);
  void integer(const char* key, std::int64_t& out, std::int64_t least, std::int64_t most);
  [[nodiscard]] bool has(const char* key);

  // The first thing that was wrong, or a key that nobody asked for.
  [[nodiscard]] base::Status done();
  void fail(const std::string& message);

 private:
  const nlohmann::json* find(const char* key);

  const nlohmann::json& object_;
  std::string what_;
  std::vector<std::string_view> known_;
  std::optional<base::Error> error_;
};

}  // namespace brigade::api
