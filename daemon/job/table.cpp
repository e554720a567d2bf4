// SPDX-License-Identifier: MIT
// One hash of all known jobs, chained through the jobs themselves, and one ring in the order of ids. A dropped job that somebody still
// pins leaves both at once and its memory last of all. Jobs lie in slabs and are handed out last in, first out, so that a busy host with few
// jobs at a time keeps to memory that is warm; with records kept, the oldest record is the next job's memory.
#include "daemon/job/table.hpp"

namespace corund::job {
namespace {

void link_before(AllLink& element, corun::ListLink& place) noexcept {
  element.link_prev = place.link_prev;
  element.link_next = &place;
  place.link_prev->link_next = &element;
  place.link_prev = &element;
}

}  // namespace

Table::Table(Retention retention) : retention_(retention), buckets_(1024, nullptr) { all_.link_prev = all_.link_next = &all_; }

Table::~Table() { all_.link_prev = all_.link_next = nullptr; }

Job& Table::allocate() {
  if (free_.empty()) {
    auto slab = std::make_unique<Job[]>(slab_jobs);
    std::size_t jobs = (slabs_.size() + 1) * slab_jobs;
    if (free_.capacity() < jobs) free_.reserve(jobs * 2);  // room for all of them, so that recycle() cannot fail
    for (std::size_t i = slab_jobs; i-- > 0;) {
      slab[i].table_ = this;
      slab[i].is_job = true;
      free_.push_back(&slab[i]);
    }
    slabs_.push_back(std::move(slab));
  }
  Job& job = *free_.back();
  free_.pop_back();
  return job;
}

void Table::recycle(Job& job) noexcept {
  records_.give(std::move(job.record_));
  runnings_.give(std::move(job.running));
  job.reset();
  free_.push_back(&job);
}

Job& Table::add(std::int64_t now_us) { return place(allocate(), ids_.next(now_us), now_us); }

Job& Table::adopt(const Ulid& id, std::int64_t submitted_us) {
  ids_.go_on_from(id);
  return place(allocate(), id, submitted_us);
}

Job& Table::place(Job& job, const Ulid& id, std::int64_t submitted_us) {
  job.id = id;
  job.id_text = id.text();
  job.submitted_us = job.eligible_us = submitted_us;
  insert(job);
  ++counts_[static_cast<std::size_t>(State::queued)];
  return job;
}

void Table::insert(Job& job) {
  if (size_ >= buckets_.size()) grow();
  Job*& head = bucket(job.id);
  job.next_in_bucket_ = head;
  head = &job;
  link_before(job, all_);
  ++size_;
}

void Table::grow() {
  std::vector<Job*> old(buckets_.size() * 2, nullptr);
  old.swap(buckets_);
  for (Job* job : old)
    while (job) {
      Job* next = job->next_in_bucket_;
      Job*& head = bucket(job->id);
      job->next_in_bucket_ = head;
      head = job;
      job = next;
    }
}

void Table::erase(Job& job) noexcept {
  Job** at = &bucket(job.id);
  while (*at != &job) at = &(*at)->next_in_bucket_;
  *at = job.next_in_bucket_;
  static_cast<AllLink&>(job).unlink();
  --size_;
}

Job* Table::find(const Ulid& id) const noexcept {
  for (Job* job = bucket(id); job; job = job->next_in_bucket_)
    if (job->id == id) return job;
  return nullptr;
}

Job* Table::find(std::string_view id) const noexcept {
  auto parsed = Ulid::parse(id);
  return parsed ? find(*parsed) : nullptr;
}

void Table::change(Job& job, State next, std::int64_t now_us) {
  --counts_[static_cast<std::size_t>(job.state)];
  job.become(next);
  ++counts_[static_cast<std::size_t>(next)];
  if (changes_.is_read()) [[unlikely]] changes_.add(job, now_us);
  if (next == State::running) {
    if (job.started_us == 0) job.started_us = now_us;
    job.attempt_started_us = now_us;
    return;
  }
  runnings_.give(std::move(job.running));
  if (is_over(next)) {
    job.ended_us = now_us;
    keep(job);
  }
}

void Table::keep(Job& job) {
  job.kept_bytes_ = job.bytes();
  ended_bytes_ += job.kept_bytes_;
  if (job.is_durable()) {
    ++stored_count_;
    stored_.push_back(job);
  } else {
    ++volatile_count_;
    volatile_ended_.push_back(job);
  }
  trim();
}

// The one that has just ended stays, whatever the limits: somebody is about to be told.
void Table::trim() {
  bool is_full = false;
  for (; volatile_count_ > 1 && volatile_count_ > retention_.memory_records; is_full = true) drop(volatile_ended_.front());
  while (stored_count_ > 1 && stored_count_ > retention_.records) drop(shelved_.empty() ? stored_.front() : shelved_.front());
  while (ended_bytes_ > retention_.bytes) {
    Job* stored = shelvable();
    Job* lost = volatile_count_ > 1 ? &volatile_ended_.front() : nullptr;
    if (stored && (!lost || stored->ended_us <= lost->ended_us))
      shelve(*stored);
    else if (lost)
      drop(*lost);
    else if (!shelved_.empty() && shelved_.front().kept_bytes_ > 0)
      drop(shelved_.front());  // what is left of it: labels, say
    else
      break;
  }
  if (is_full) prefetch_drops();
}

void Table::restore_end(Job& job, State state, std::int64_t ended_us) {
  --counts_[static_cast<std::size_t>(job.state)];
  job.state = state;  // the table of states is about what happens, not about what is read
  job.ended_us = ended_us;
  job.is_end_stored = true;
  ++stored_count_;
  shelve(job);
  while (stored_count_ > 1 && (stored_count_ > retention_.records || ended_bytes_ > retention_.bytes)) drop(shelved_.front());
}

// The oldest body that may leave memory: on disk, and nobody is about to read it. Those that may not yet go to the back, so that a few of them
// do not keep all the others.
Job* Table::shelvable() noexcept {
  constexpr int looked_at_most = 16;
  for (int i = 0; i < looked_at_most && !stored_.empty(); ++i) {
    Job& job = stored_.front();
    if (job.is_end_stored && job.pins_ == 0) return &job;
    static_cast<QueueLink&>(job).unlink();
    stored_.push_back(job);
  }
  return nullptr;
}

// The oldest records were last touched long ago, and the next ends will drop them one by one: the memory of the next but one is fetched
// now, and the bucket of the next, whose memory has been.
void Table::prefetch_drops() const noexcept {
  constexpr std::size_t line = 64;
  auto at = volatile_ended_.begin();
  if (at == volatile_ended_.end()) return;
  __builtin_prefetch(&bucket(at->id), 1);
  const char* record = reinterpret_cast<const char*>(at->record_.get());
  for (std::size_t offset = 0; record && offset < sizeof(Record); offset += line) __builtin_prefetch(record + offset, 1);
  if (++at == volatile_ended_.end()) return;
  const char* memory = reinterpret_cast<const char*>(&*at);
  for (std::size_t offset = 0; offset < sizeof(Job); offset += line) __builtin_prefetch(memory + offset, 1);
}

std::int64_t Table::age_us() const noexcept {
  return std::chrono::duration_cast<std::chrono::microseconds>(retention_.age).count();
}

std::optional<std::int64_t> Table::next_expiry_us() const noexcept {
  std::optional<std::int64_t> oldest;
  for (const EndedList* list : {&volatile_ended_, &shelved_, &stored_})
    if (!list->empty() && (!oldest || list->front().ended_us < *oldest)) oldest = list->front().ended_us;
  if (oldest) *oldest += age_us() + 1;
  return oldest;
}

void Table::expire(std::int64_t now_us) {
  constexpr int steps = 256;
  const std::int64_t oldest = now_us - age_us();
  for (EndedList* list : {&volatile_ended_, &shelved_, &stored_})
    for (int i = 0; i < steps && !list->empty() && list->front().ended_us < oldest; ++i) drop(list->front());
}

void Table::shelve(Job& job) noexcept {
  static_cast<QueueLink&>(job).unlink();
  shelved_.push_back(job);
  const std::size_t left = job.spec.extras().bytes();  // the job itself is bounded by number
  ended_bytes_ += left;
  ended_bytes_ -= std::exchange(job.kept_bytes_, left);
  records_.give(std::move(job.record_));
  job.spec.args = JsonText();
  job.is_shelved_ = true;
}

void Table::drop(Job& job) {
  static_cast<QueueLink&>(job).unlink();
  if (job.is_durable() || !job.spec.extras().key.empty())
    dropped_.push_back({job.seq, job.id, job.spec.owner, job.spec.extras().key});
  --(job.is_durable() ? stored_count_ : volatile_count_);
  ended_bytes_ -= job.kept_bytes_;
  erase(job);
  if (job.pins_ == 0)
    recycle(job);
  else
    job.dropped_ = true;
}

void Table::remove(Job& job) {
  CORUN_ASSERT(job.is_over() && !job.dropped_);
  drop(job);
}

void Table::discard(Job& job) {
  CORUN_ASSERT(!job.is_over());
  --counts_[static_cast<std::size_t>(job.state)];
  static_cast<QueueLink&>(job).unlink();
  erase(job);
  if (job.pins_ == 0)
    recycle(job);
  else
    job.dropped_ = true;
}

Table::Cursor::Cursor(Table& table, Direction direction) noexcept : table_(table), direction_(direction) {
  link_before(mark_, direction == Direction::oldest_first ? *table_.all_.link_next : static_cast<corun::ListLink&>(table_.all_));
}

Job* Table::Cursor::next() noexcept {
  bool forward = direction_ == Direction::oldest_first;
  corun::ListLink* at = forward ? mark_.link_next : mark_.link_prev;
  auto is_job = [](corun::ListLink* link) { return static_cast<AllLink*>(link)->is_job; };
  while (at != &table_.all_ && !is_job(at)) at = forward ? at->link_next : at->link_prev;
  mark_.unlink();
  if (at == &table_.all_) {
    link_before(mark_, forward ? table_.all_ : static_cast<corun::ListLink&>(*table_.all_.link_next));
    return nullptr;
  }
  link_before(mark_, forward ? *at->link_next : *at);
  return static_cast<Job*>(static_cast<AllLink*>(at));
}

}  // namespace corund::job
