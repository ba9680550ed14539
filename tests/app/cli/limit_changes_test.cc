// What applying a limits file changes.
#include "app/cli/limit_changes.h"

#include <vector>

#include <doctest/doctest.h>

namespace brigade::cli {
namespace {

bucket::LimitSpec limit(const char* name, std::int64_t burst = 5) {
  bucket::LimitSpec spec;
  spec.name = name;
  spec.rate = base::Rate::per_second(1);
  spec.burst = base::Tokens::whole(burst);
  return spec;
}

TEST_CASE("what is created, changed and deleted is named, what stays is not") {
  const std::vector<bucket::LimitSpec> before{limit("a"), limit("b"), limit("old"), limit("older")};
  const std::vector<bucket::LimitSpec> file{limit("a"), limit("b", 6), limit("c"), limit("d")};
  CHECK(changes_text(before, file, true) == "created c, d\nchanged b\ndeleted old, older\n");
  CHECK(changes_text(before, file, false) == "created c, d\nchanged b\n");
  CHECK(changes_text(before, before, true).empty());
  CHECK(changes_text(before, {}, true) == "deleted a, b, old, older\n");
}

}  // namespace
}  // namespace brigade::cli
