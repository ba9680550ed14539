// Looks into JSON that another version of the program may have written: what is missing or of
// another type reads as empty or 0, nothing is thrown.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace brigade::cli {

using nlohmann::json;

// The member of that name; null when `object` is no object or has none.
const json& at(const json& object, const char* key);
// The elements of the list of that name.
const std::vector<json>& list_at(const json& object, const char* key);
std::string text_at(const json& object, const char* key);
std::vector<std::string> texts_at(const json& object, const char* key);
double number_at(const json& object, const char* key);
bool flag_at(const json& object, const char* key);

}  // namespace brigade::cli
