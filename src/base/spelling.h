// What somebody may have meant by a word that is none of those known.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace brigade::base {

// The known word nearest to `word`, counted in letters that are added, left out, changed or swapped
// with their neighbour (optimal string alignment): at most one in three. A beginning of three
// letters and more counts as one. Empty when nothing is near; the first of several.
std::string nearest(std::string_view word, std::span<const std::string> known);

// "; did you mean `limits`?", or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string> known);

}  // namespace brigade::base
