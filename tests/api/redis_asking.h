// A Redis client's session at a desk that answers what the test says.
#pragma once

#include <string>
#include <utility>

#include "api/redis_session.h"
#include "tests/api/scripted_desk.h"

namespace brigade::api {

struct Asking {
  ScriptedDesk desk;
  std::string info;
  RedisSession session{desk, info};

  std::string say(const std::string& line) {
    session.feed(line + "\r\n");
    return std::exchange(session.output(), {});
  }
};

}  // namespace brigade::api
