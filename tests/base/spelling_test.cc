#include "base/spelling.h"

#include <vector>

#include <doctest/doctest.h>

namespace brigade::base {
namespace {

const std::vector<std::string> kWords{"status", "members", "limits", "limit", "settle", "leave"};

TEST_CASE("a misspelt word is taken for the nearest one that is known") {
  CHECK(nearest("membrs", kWords) == "members");
  CHECK(nearest("mebmers", kWords) == "members");  // two letters swapped count once
  CHECK(nearest("member", kWords) == "members");
  CHECK(nearest("statsu", kWords) == "status");
  CHECK(nearest("lmit", kWords) == "limit");
  CHECK(nearest("limitss", kWords) == "limits");
  CHECK(nearest("stat", kWords) == "status");  // its beginning
}

TEST_CASE("what is near to nothing is taken for nothing") {
  CHECK(nearest("redis", kWords).empty());
  CHECK(nearest("", kWords).empty());
  CHECK(nearest("x", kWords).empty());
  CHECK(nearest(std::string(10'000, 'l'), kWords).empty());
  CHECK(nearest("limit", {}).empty());
}

TEST_CASE("a suggestion is a question behind what was wrong") {
  CHECK(did_you_mean("membrs", kWords) == "; did you mean `members`?");
  CHECK(did_you_mean("redis", kWords).empty());
}

}  // namespace
}  // namespace brigade::base
