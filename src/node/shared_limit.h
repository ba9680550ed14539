// One shared limit, or one hot key of a `per: key` limit, at this node: the acquire path, parked
// requests, demand, and its trade with peers.
//
// acquire() is the product: no allocation, no message, no lock when the bucket holds enough.
// Threads: single-threaded (owner: node). Limits: queue.max_waiting parked requests, kReservations.
// Source: semantics 5 and 6.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "bucket/demand.h"
#include "bucket/waiting.h"
#include "node/peer_book.h"
#include "node/purse.h"
#include "node/trade.h"

namespace brigade::node {

class SharedLimit {
 public:
  static constexpr std::size_t kReservations = 100'000;

  // `key`: zero but for a key that has a ledger of its own.
  SharedLimit(const ConfigRecord& config, KeyHash key, TradeTiming timing, base::Prng dice,
              Instant now);

  // What acquire() made of a request.
  enum class Fate : std::uint8_t { kDecided, kShort };
  // Decides at once what can be decided at once. kShort: `out` is the refusal to give if the
  // request cannot wait. Takes nothing then.
  Fate acquire(const AcquireRequest& request, Instant now, Decision& out);
  // Somebody asks for this, whoever decides it.
  void wanted(const AcquireRequest& request, Instant now);
  // Parks a short request for tokens that peers may have or that are still to be minted. False when
  // waiting is pointless or the queue is full; `out` then is its refusal.
  bool park(const AcquireRequest& request, Ticket ticket, const PeerBook& peers, Instant now,
            Decision& out);
  // Gives back what an admitted request took, into the same account (all-or-nothing acquires).
  void undo(const Decision& decision, Account account, Tokens cost);
  bool cancel(Ticket ticket);
  // An acquire of several limits lacks this much here: worth borrowing for until then.
  void wish(const AcquireRequest& request, TimePoint until) {
    wished_ = request.cost;
    wished_class_ = class_of(request.priority);
    wished_until_ = until;
    wake();
  }
  // True while asking peers may soon bring what this cost lacks.
  [[nodiscard]] bool hopeful(Tokens cost, const PeerBook& peers, Instant now) const {
    return !purse_.valid(now) ||
           trade_.hopeful(cost - purse_.bucket().level(), purse_, config_, peers, now);
  }

  // Makes the admitted cost refundable; the id is (sequence).
  bool reserve(std::uint64_t sequence, Tokens cost);
  std::optional<SettleReply> settle(std::uint64_t sequence, Tokens actual);

  // Whenever it gets something to do in a turn, its number goes onto this list: now, and when it
  // is asked for after it fell asleep.
  void report_to(std::vector<std::size_t>& awake, std::size_t number);
  // False: nothing will be due and nothing worth a report until it is asked for.
  bool stays_awake(Instant now);
  // The end of a turn: serves and expires the parked, borrows if that helps.
  void turn(PeerBook& peers, Instant now, Actions& out);
  [[nodiscard]] TimePoint next_deadline() const;

  // The parked are refused when the classes or the queue's bound change under them.
  void configure(const ConfigRecord& config, Instant now, Actions& out);
  void on(NodeId from, const Loan& loan, PeerBook& peers, Instant now);
  Send lend(NodeId borrower, const Borrow& ask, PeerBook& peers, Instant now);
  // An operator's transfer: pulls from this lender. False while another borrow is open.
  bool pull(NodeId lender, Tokens amount, Instant now, Actions& out);
  void forbid_lending(bool forbidden) { no_lend_ = forbidden; }

  [[nodiscard]] Rate offered(Instant now) const { return meter_.rate(now.slow); }
  // What the steward should know; `demand_moved` when it is worth telling ahead of time.
  DemandReport report(Instant now);
  [[nodiscard]] bool demand_moved(Instant now) const;
  [[nodiscard]] TimePoint reported_at() const { return reported_at_; }
  [[nodiscard]] FreeReport free_report(Instant now);
  [[nodiscard]] BucketReport bucket_report(Instant now);

  Purse& purse() { return purse_; }
  [[nodiscard]] const Purse& purse() const { return purse_; }
  [[nodiscard]] const ConfigRecord& config() const { return config_; }
  [[nodiscard]] const LedgerId& ledger() const { return ledger_; }
  [[nodiscard]] Trade& trade() { return trade_; }
  [[nodiscard]] const Trade& trade() const { return trade_; }
  [[nodiscard]] bool busy() const { return !queue_.empty() || purse_.borrow().has_value(); }
  // A session ended: reservations of its account are spent.
  void lapsed();
  struct Reserved {
    Account account;
    Tokens refundable;  // less what was eaten of the oldest since they were looked at
    Tokens reserved;
  };
  // For checkers: by sequence, until settled.
  [[nodiscard]] const std::map<std::uint64_t, Reserved>& reservations() const {
    return reservations_;
  }
  void check_invariants() const;

 private:
  struct Class {
    std::string_view name;
    Tokens floor;
  };

  [[nodiscard]] std::size_t class_of(std::string_view priority) const;
  [[nodiscard]] Tokens floor_of(std::size_t index) const;
  // What acquire() makes of it, enforced or not.
  Fate decide(const AcquireRequest& request, Instant now, Decision& out);
  // The first of the parked that more tokens serve. Null also when it waits for room, not for
  // tokens: until it has it, tokens are of more use elsewhere.
  [[nodiscard]] const bucket::Waiting* next_that_fits() const;
  [[nodiscard]] Need need(Instant now) const;
  void fill(Decision& out, Tokens cost, Tokens floor) const;
  // Counts what was just taken.
  void admit(Decision& out, Tokens cost);
  // The size that a bucket needs to admit this cost in this class.
  [[nodiscard]] Tokens size_for(Tokens cost, std::size_t index) const;
  // The same beside what reservations keep free now.
  [[nodiscard]] Tokens room_for(Tokens cost, std::size_t index) const;
  void wake();
  void serve(Instant now, Actions& out);
  // Those who wait only for loans that nobody can give are refused before their time is over.
  void give_up_loans(const PeerBook& peers, Instant now, Actions& out);
  void refuse(const std::vector<bucket::Waiting>& parked, Instant now, Actions& out);
  void refresh_floors();
  void divide_by_classes();
  // The purse knows what is refundable of all together: what is gone of it was the oldest's. Before
  // any of them is looked at, made or ended.
  void cut_reservations();

  ConfigRecord config_;
  LedgerId ledger_;
  TradeTiming timing_;
  Purse purse_;
  Trade trade_;
  bucket::DemandMeter meter_;
  bucket::WaitingQueue queue_;
  Tokens floors_for_size_ = Tokens::micro(-1);
  bucket::LargestCost largest_;
  Tokens wished_;
  std::size_t wished_class_ = 0;
  TimePoint wished_until_{};
  Rate reported_;
  Tokens reported_lacking_;
  TimePoint reported_at_ = TimePoint::min();  // slow line
  Tokens borrowed_left_;                      // of the level; what is a node's own is spent first
  bool no_lend_ = false;
  std::vector<std::size_t>* waking_ = nullptr;  // where to report
  std::size_t number_ = 0;
  bool awake_ = false;
  std::map<std::uint64_t, Reserved> reservations_;
  Tokens promised_;                       // their refundable amounts together
  std::uint64_t open_from_ = 0;           // older ones have nothing refundable
  std::vector<bucket::Waiting> expired_;  // reused
};

}  // namespace brigade::node
