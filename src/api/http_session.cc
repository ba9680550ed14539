#include "api/http_session.h"

#include <utility>
#include <variant>

#include "api/dashboard.h"
#include "api/http_acquire.h"
#include "api/http_admin.h"
#include "api/http_routes.h"

namespace brigade::api {

HttpSession::HttpSession(Desk& desk, WallClock wall_clock)
    : desk_(desk), wall_clock_(std::move(wall_clock)) {}

HttpSession::~HttpSession() {
  end();
}

void HttpSession::end() {
  if (!parked_.empty()) {
    desk_.abandon(*this);
    parked_.clear();
  }
}

void HttpSession::handle(const HttpRequest& request, Answer answer) {
  auto found = find_route(request.method, request.path);
  if (auto* response = std::get_if<HttpResponse>(&found)) {
    answer(std::move(*response));
    return;
  }
  const Routed& routed = std::get<Routed>(found);
  if (is_admin(routed.route)) {
    auto call = admin_call(routed, request, wall_clock_());
    if (auto* response = std::get_if<HttpResponse>(&call)) {
      answer(std::move(*response));
      return;
    }
    auto& admin = std::get<AdminCall>(call);
    desk_.admin(admin.request, [render = std::move(admin.render), answer = std::move(answer)](
                                   const node::AdminReply& reply) { answer(render(reply)); });
    return;
  }
  switch (routed.route) {
    case Route::kAcquire:
      acquire(request, std::move(answer));
      return;
    case Route::kSettle:
      settle(request, std::move(answer));
      return;
    case Route::kMetrics:
      answer({.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = desk_.metrics()});
      return;
    case Route::kReadyz:
      answer(readiness());
      return;
    case Route::kDashboard:
      answer(dashboard_response(request.path));
      return;
    default:
      answer({.content_type = "text/plain; charset=utf-8", .body = "ok\n"});
      return;
  }
}

void HttpSession::acquire(const HttpRequest& request, Answer answer) {
  const auto body = read_acquire(request.body);
  if (!body) {
    answer(bad_request(body.error().message));
    return;
  }
  Parked parked{.all = body->all};
  std::vector<node::AcquireRequest> requests;
  for (const AcquireItem& item : body->items) {
    parked.limits.push_back(item.limit);
    requests.push_back(item.request());
  }
  const std::uint64_t token = next_token_++;
  const auto decision = body->all ? desk_.acquire_all(Door::kHttp, requests, *this, token)
                                  : desk_.acquire(Door::kHttp, requests.front(), *this, token);
  if (decision) {
    answer(acquire_response(parked.limits, parked.all, *decision));
    return;
  }
  parked.answer = std::move(answer);
  parked_.emplace(token, std::move(parked));
}

void HttpSession::decided(std::uint64_t token, const node::Decision& decision) {
  auto found = parked_.extract(token);
  if (!found.empty()) {
    const Parked& parked = found.mapped();
    parked.answer(acquire_response(parked.limits, parked.all, decision));
  }
}

void HttpSession::settle(const HttpRequest& request, Answer answer) {
  const auto body = read_settle(request.body);
  if (!body) {
    answer(bad_request(body.error().message));
    return;
  }
  const std::uint64_t token = next_token_++;
  if (const auto reply = desk_.settle(body->reservation, body->cost, *this, token)) {
    answer(settle_response(*reply));
    return;
  }
  parked_.emplace(token, Parked{.limits = {}, .answer = std::move(answer)});
}

void HttpSession::settled(std::uint64_t token, const node::SettleReply& reply) {
  auto found = parked_.extract(token);
  if (!found.empty()) {
    found.mapped().answer(settle_response(reply));
  }
}

HttpResponse HttpSession::readiness() const {
  if (desk_.ready()) {
    return {.content_type = "text/plain; charset=utf-8", .body = "ready\n"};
  }
  return error_response(503, "not_ready", desk_.not_ready_because());
}

}  // namespace brigade::api
