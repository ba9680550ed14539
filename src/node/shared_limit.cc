#include "node/shared_limit.h"

#include <algorithm>
#include <utility>

#include "base/coverage.h"
#include "bucket/sizing.h"

namespace brigade::node {
namespace {

std::vector<bucket::WaitingClass> classes_of(const bucket::LimitSpec& spec) {
  return std::vector<bucket::WaitingClass>(spec.priorities.size() + 1);
}

// Demand that moved by more than 5 % is worth a report ahead of the next renewal (semantics 7).
constexpr bucket::Permille kMoved = 50;

}  // namespace

SharedLimit::SharedLimit(const ConfigRecord& config, KeyHash key, TradeTiming timing,
                         base::Prng dice, Instant now)
    : config_(config),
      ledger_{.limit = config.spec.name, .key = key},
      timing_(timing),
      trade_(ledger_, timing, dice),
      meter_(now.slow),
      queue_(classes_of(config.spec), std::max(1U, config.spec.queue.max_waiting)) {
  divide_by_classes();
}

void SharedLimit::divide_by_classes() {
  const bool planted = timing_.plant == Plant::kShrinkKeepsTokens;
  purse_.divide_evenly(!planted && bucket::reserves(config_.spec));
}

std::size_t SharedLimit::class_of(std::string_view priority) const {
  if (priority.empty()) {
    return 0;
  }
  for (std::size_t i = 0; i < config_.spec.priorities.size(); ++i) {
    if (config_.spec.priorities[i].name == priority) {
      return i + 1;
    }
  }
  return 0;
}

Tokens SharedLimit::floor_of(std::size_t index) const {
  return index == 0
             ? Tokens{}
             : purse_.bucket().size().scaled(config_.spec.priorities[index - 1].reserved, 1000);
}

void SharedLimit::fill(Decision& out, Tokens cost, Tokens floor) const {
  const bucket::TokenBucket& bucket = purse_.bucket();
  out.remaining = bucket.level();
  out.burst = config_.spec.burst;
  out.rate = config_.spec.rate;
  out.valid_until = purse_.valid_until();
  if (out.verdict == Verdict::kRefused) {
    out.retry_after = purse_.wait_for(cost, floor);
    if (out.retry_after == base::Duration::max()) {
      // This node's share never reaches it; the limit's own rate is the honest bound.
      out.retry_after = config_.spec.rate.time_for(cost);
    }
  }
}

Tokens SharedLimit::size_for(Tokens cost, std::size_t index) const {
  if (index == 0) {
    return cost;
  }
  return cost.scaled(1000, 1000 - config_.spec.priorities[index - 1].reserved) + Tokens::micro(1);
}

Tokens SharedLimit::room_for(Tokens cost, std::size_t index) const {
  return size_for(cost + purse_.refundable(), index);
}

void SharedLimit::admit(Decision& out, Tokens cost) {
  purse_.totals().admitted += cost;
  out.verdict = Verdict::kAdmitted;
  out.source = Source::kLocal;
  if (borrowed_left_ > purse_.bucket().level()) {
    borrowed_left_ = purse_.bucket().level();
    out.source = Source::kBorrowed;
  }
}

void SharedLimit::wanted(const AcquireRequest& request, Instant now) {
  wake();
  if (!request.peek) {
    meter_.offer(request.cost, now.slow);
    largest_.seen(size_for(request.cost, class_of(request.priority)), now.slow);
  }
}

SharedLimit::Fate SharedLimit::acquire(const AcquireRequest& request, Instant now, Decision& out) {
  const Fate fate = decide(request, now, out);
  if (!config_.spec.shadow || !cast_shadow(out)) {
    return fate;
  }
  if (!request.peek) {
    purse_.totals().refused += request.cost;
  }
  return Fate::kDecided;
}

SharedLimit::Fate SharedLimit::decide(const AcquireRequest& request, Instant now, Decision& out) {
  const std::size_t index = class_of(request.priority);
  const Tokens floor = floor_of(index);
  wanted(request, now);
  if (request.cost > config_.spec.largest_cost(request.priority)) {
    out.verdict = Verdict::kNever;
    fill(out, request.cost, floor);
    return Fate::kDecided;
  }
  purse_.mint(now);
  if (request.peek) {
    const bool enough = purse_.valid(now) && purse_.bucket().level() - floor >= request.cost;
    out.verdict = enough ? Verdict::kAdmitted : Verdict::kRefused;
    fill(out, request.cost, floor);
    return Fate::kDecided;
  }
  if (queue_.empty() && purse_.valid(now) && purse_.take(request.cost, floor)) {
    admit(out, request.cost);
    fill(out, request.cost, floor);
    return Fate::kDecided;
  }
  out.verdict = purse_.valid(now) ? Verdict::kRefused : Verdict::kNoRights;
  fill(out, request.cost, floor);
  return Fate::kShort;
}

bool SharedLimit::park(const AcquireRequest& request, Ticket ticket, const PeerBook& peers,
                       Instant now, Decision& out) {
  const base::Duration wait =
      std::clamp(request.wait, base::Duration::zero(), config_.spec.queue.max_wait);
  const bool valid = purse_.valid(now);
  const std::size_t index = class_of(request.priority);
  const bool fits = room_for(request.cost, index) <= purse_.bucket().size();
  const base::Duration mint = purse_.wait_for(request.cost, floor_of(index));
  const bool minted_in_time = valid && wait > base::Duration::zero() && mint <= wait;
  // Tokens that exist elsewhere: at peers when borrowing has a chance, in the pool when this node's
  // share cannot hold the cost or has not come yet.
  const Tokens lacking = request.cost + floor_of(index) - purse_.bucket().level();
  const bool elsewhere = !valid || !fits || trade_.hopeful(lacking, purse_, config_, peers, now);
  if (!minted_in_time && !elsewhere) {
    purse_.totals().refused += request.cost;
    return false;
  }
  const base::Duration patience =
      std::max(wait, elsewhere ? timing_.borrow_timeout : base::Duration::zero());
  const bucket::Waiting waiting{.ticket = bucket::Ticket(ticket),
                                .cost = request.cost,
                                .priority = index,
                                .deadline = now.slow + patience,
                                .for_loan = valid && fits && !minted_in_time};
  if (!queue_.push(waiting)) {
    purse_.totals().refused += request.cost;
    out.verdict = Verdict::kTooManyWaiting;
    return false;
  }
  wake();
  return true;
}

void SharedLimit::undo(const Decision& decision, Account account, Tokens cost) {
  if (decision.source == Source::kShadow) {
    return;
  }
  purse_.undo(account, cost);
  purse_.totals().admitted -= cost;
}

bool SharedLimit::cancel(Ticket ticket) {
  return queue_.cancel(bucket::Ticket(ticket));
}

bool SharedLimit::reserve(std::uint64_t sequence, Tokens cost) {
  cut_reservations();
  if (reservations_.size() >= kReservations) {
    // The oldest becomes spent for good: memory has a bound, the guarantee has none to lose.
    promised_ -= reservations_.begin()->second.refundable;
    purse_.give_up_refund(reservations_.begin()->second.refundable);
    reservations_.erase(reservations_.begin());
  }
  const Tokens refundable = purse_.keep_refundable(cost);
  promised_ += refundable;
  reservations_[sequence] = {
      .account = purse_.account(), .refundable = refundable, .reserved = cost};
  return true;
}

std::optional<SettleReply> SharedLimit::settle(std::uint64_t sequence, Tokens actual) {
  cut_reservations();
  const auto found = reservations_.find(sequence);
  if (found == reservations_.end()) {
    return std::nullopt;
  }
  const Reserved one = found->second;
  reservations_.erase(found);
  SettleReply reply{.verdict = SettleVerdict::kSettled};
  if (actual > one.reserved) {
    reply.overdraft = actual - one.reserved;
  }
  if (one.account != purse_.account()) {
    return reply;  // that session is over: it stays spent
  }
  const Tokens unused = std::max(Tokens{}, one.reserved - actual);
  const Tokens back = std::min(unused, one.refundable);
  promised_ -= one.refundable;
  purse_.give_up_refund(one.refundable);
  purse_.undo(one.account, back);
  purse_.totals().admitted -= back;
  reply.refunded = back;
  return reply;
}

void SharedLimit::cut_reservations() {
  auto one = reservations_.lower_bound(open_from_);
  while (promised_ > purse_.refundable() && one != reservations_.end()) {
    const Tokens part = std::min(one->second.refundable, promised_ - purse_.refundable());
    one->second.refundable -= part;
    promised_ -= part;
    if (one->second.refundable == Tokens{}) {
      ++one;
    }
  }
  if (one != reservations_.end()) {
    open_from_ = one->first;
  }
}

void SharedLimit::lapsed() {
  trade_.reset();
  borrowed_left_ = Tokens{};
  for (auto& [sequence, one] : reservations_) {
    one.refundable = Tokens{};
  }
  promised_ = Tokens{};
}

// ---- turns ----

void SharedLimit::report_to(std::vector<std::size_t>& awake, std::size_t number) {
  waking_ = &awake;
  number_ = number;
  awake_ = false;
  wake();
}

void SharedLimit::wake() {
  if (!awake_ && waking_ != nullptr) {
    awake_ = true;
    waking_->push_back(number_);
  }
}

bool SharedLimit::stays_awake(Instant now) {
  awake_ = busy() || reported_ != Rate{} || meter_.surge(now.slow) != Rate{} ||
           now.slow < wished_until_ || purse_.refundable() != Tokens{};
  return awake_;
}

void SharedLimit::refresh_floors() {
  if (floors_for_size_ == purse_.bucket().size()) {
    return;
  }
  floors_for_size_ = purse_.bucket().size();
  std::vector<Tokens> floors;
  for (std::size_t i = 0; i <= config_.spec.priorities.size(); ++i) {
    floors.push_back(floor_of(i));
  }
  queue_.set_floors(floors);
}

void SharedLimit::serve(Instant now, Actions& out) {
  if (queue_.empty() || !purse_.valid(now)) {
    return;
  }
  purse_.mint(now);
  while (const auto next = queue_.pop_ready(purse_.bucket().level())) {
    const bool taken = purse_.take(next->cost, Tokens{});
    Answer answer{.ticket = next->ticket.value(), .decision = {}};
    if (taken) {
      admit(answer.decision, next->cost);
    }
    fill(answer.decision, next->cost, floor_of(next->priority));
    out.answers.push_back(std::move(answer));
  }
}

void SharedLimit::refuse(const std::vector<bucket::Waiting>& parked, Instant now, Actions& out) {
  for (const bucket::Waiting& one : parked) {
    Answer answer{.ticket = one.ticket.value(), .decision = {}};
    answer.decision.verdict = purse_.valid(now) ? Verdict::kRefused : Verdict::kNoRights;
    purse_.totals().refused += one.cost;
    fill(answer.decision, one.cost, floor_of(one.priority));
    if (config_.spec.shadow) {
      cast_shadow(answer.decision);
    }
    out.answers.push_back(std::move(answer));
  }
}

const bucket::Waiting* SharedLimit::next_that_fits() const {
  const bucket::Waiting* next = queue_.least_reserved();
  const bool fits =
      next != nullptr && room_for(next->cost, next->priority) <= purse_.bucket().size();
  return fits ? next : nullptr;
}

Need SharedLimit::need(Instant now) const {
  Need need{.offered = meter_.surge(now.slow)};
  Tokens first;
  if (const bucket::Waiting* next = next_that_fits()) {
    const Tokens floor = floor_of(next->priority);
    first = next->cost + floor;
    need.waiting = queue_.cost_up_to(floor) + floor;
    need.priority = static_cast<std::uint8_t>(next->priority);
  }
  const Tokens floor = floor_of(wished_class_);
  if (now.slow < wished_until_ && (first == Tokens{} || floor <= floor_of(need.priority))) {
    first = std::max(first, wished_ + floor);
    need.waiting = std::max(need.waiting, first);
    need.priority = static_cast<std::uint8_t>(wished_class_);
  }
  need.lacking = std::max(Tokens{}, first - purse_.bucket().level());
  return need;
}

void SharedLimit::turn(PeerBook& peers, Instant now, Actions& out) {
  refresh_floors();
  trade_.expire(purse_, peers, now);
  serve(now, out);
  expired_.clear();
  queue_.expire(now.slow, expired_);
  refuse(expired_, now, out);
  purse_.mint(now);
  trade_.consider(purse_, config_, need(now), peers, now, out.sends);
  give_up_loans(peers, now, out);
}

void SharedLimit::give_up_loans(const PeerBook& peers, Instant now, Actions& out) {
  if (queue_.for_loan() == 0 || !purse_.valid(now) || purse_.borrow()) {
    return;
  }
  const Tokens reach = trade_.within_reach(purse_, config_, peers, now);
  expired_.clear();
  queue_.give_up_loans(purse_.bucket().level() + reach, expired_);
  if (!expired_.empty()) {
    COVERED("nobody has enough to lend: who waits for that is refused early");
    refuse(expired_, now, out);
  }
}

TimePoint SharedLimit::next_deadline() const {
  TimePoint next = std::min(queue_.next_deadline(), trade_.next_deadline(purse_));
  // Without rights or room only deadlines pass.
  const bool holds_rights = purse_.valid_until() > TimePoint{};
  if (const bucket::Waiting* first = next_that_fits(); first != nullptr && holds_rights) {
    for (const bucket::Waiting* one : {first, queue_.front()}) {
      const base::Duration mint = purse_.wait_for(one->cost, floor_of(one->priority));
      if (mint != base::Duration::max()) {
        next = std::min(next, purse_.bucket().minted_until() + mint);
      }
    }
    if (!purse_.borrow()) {
      next = std::min(next, trade_.may_ask_at());
    }
  }
  return next;
}

void SharedLimit::configure(const ConfigRecord& config, Instant now, Actions& out) {
  const bool classes_change =
      config.spec.priorities != config_.spec.priorities || config.spec.queue != config_.spec.queue;
  if (classes_change) {
    // Those who wait, wait under classes that are gone: they are told to come again.
    expired_.clear();
    queue_.expire(base::kNever, expired_);
    refuse(expired_, now, out);
    queue_ =
        bucket::WaitingQueue(classes_of(config.spec), std::max(1U, config.spec.queue.max_waiting));
    wished_class_ = 0;
    wished_until_ = TimePoint{};
  }
  config_ = config;
  divide_by_classes();
  floors_for_size_ = Tokens::micro(-1);
}

void SharedLimit::on(NodeId from, const Loan& loan, PeerBook& peers, Instant now) {
  const Tokens got = trade_.on(from, loan, purse_, peers, now);
  borrowed_left_ = std::min(borrowed_left_ + got, purse_.bucket().level());
}

Send SharedLimit::lend(NodeId borrower, const Borrow& ask, PeerBook& peers, Instant now) {
  ConfigRecord config = config_;
  config.spec.lend.enabled = config.spec.lend.enabled && !no_lend_;
  return trade_.lend(borrower, ask, purse_, config, need(now), peers, now);
}

bool SharedLimit::pull(NodeId lender, Tokens amount, Instant now, Actions& out) {
  wake();
  return trade_.pull(lender, amount, purse_, config_, now, out.sends);
}

DemandReport SharedLimit::report(Instant now) {
  meter_.roll(now.slow);
  purse_.mint(now);
  reported_ = meter_.surge(now.slow);
  DemandReport report{.ledger = ledger(),
                      .offered = reported_,
                      .deviation = meter_.sigma(now.slow),
                      .level = purse_.bucket().level(),
                      .largest = largest_.recent(now.slow),
                      .totals = purse_.totals()};
  if (const bucket::Waiting* next = queue_.least_reserved()) {
    const Tokens needed = room_for(next->cost, next->priority);
    report.lacking = needed > purse_.bucket().size() ? needed : Tokens{};
  }
  reported_lacking_ = report.lacking;
  reported_at_ = now.slow;
  return report;
}

bool SharedLimit::demand_moved(Instant now) const {
  const bool lacks_room = !queue_.empty() && next_that_fits() == nullptr;
  if (lacks_room && reported_lacking_ == Tokens{}) {
    return true;
  }
  const Rate offered = meter_.surge(now.slow);
  const std::int64_t moved = offered.nano_per_second() - reported_.nano_per_second();
  // Against the limit's rate too: a trickle that doubles moves no share.
  return (moved > 0 ? moved : -moved) > config_.spec.rate.scaled(20, 1000).nano_per_second() &&
         bucket::worth_making(
             {.from = reported_.nano_per_second(), .to = offered.nano_per_second()}, kMoved);
}

FreeReport SharedLimit::free_report(Instant now) {
  if (!awake_) {
    purse_.mint(now);  // as its turns would have
  }
  FreeReport report{.limit = PeerBook::hash_of(ledger_), .starving = trade_.starving(now)};
  if (purse_.valid(now) && config_.spec.lend.enabled && !no_lend_) {
    report.free = purse_.bucket().level();
  }
  return report;
}

BucketReport SharedLimit::bucket_report(Instant now) {
  purse_.mint(now);
  const PurseTotals& totals = purse_.totals();
  return {.ledger = ledger(),
          .rate = purse_.rate(),
          .size = purse_.bucket().size(),
          .level = purse_.bucket().level(),
          .lent = totals.lent,
          .borrowed = totals.borrowed,
          .admitted = totals.admitted,
          .refused = totals.refused,
          .offered = offered(now)};
}

void SharedLimit::check_invariants() const {
  purse_.check_invariants();
  queue_.check_invariants();
}

}  // namespace brigade::node
