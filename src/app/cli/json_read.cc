#include "app/cli/json_read.h"

namespace brigade::cli {

const json& at(const json& object, const char* key) {
  static const json kNull;
  if (!object.is_object()) {
    return kNull;
  }
  const auto found = object.find(key);
  return found == object.end() ? kNull : *found;
}

const std::vector<json>& list_at(const json& object, const char* key) {
  static const std::vector<json> kNone;
  const json& list = at(object, key);
  return list.is_array() ? list.get_ref<const json::array_t&>() : kNone;
}

std::string text_at(const json& object, const char* key) {
  const json& text = at(object, key);
  return text.is_string() ? text.get<std::string>() : std::string();
}

std::vector<std::string> texts_at(const json& object, const char* key) {
  std::vector<std::string> texts;
  for (const json& text : list_at(object, key)) {
    if (text.is_string()) {
      texts.push_back(text.get<std::string>());
    }
  }
  return texts;
}

double number_at(const json& object, const char* key) {
  const json& number = at(object, key);
  return number.is_number() ? number.get<double>() : 0;
}

bool flag_at(const json& object, const char* key) {
  const json& flag = at(object, key);
  return flag.is_boolean() && flag.get<bool>();
}

}  // namespace brigade::cli
