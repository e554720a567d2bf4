// SPDX-License-Identifier: MIT
#include "client/timeline.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace corunctl {

namespace {

// Of the picture, in pixels.
constexpr double label_width = 330, time_width = 900, line_height = 20, bar_height = 14, head_height = 50, margin = 12;

const char* colour_of(std::string_view state) {
  if (state == "succeeded") return "#4c9a5b";
  if (state == "running") return "#3f7fbf";
  if (state == "failed" || state == "timedOut" || state == "lost") return "#c0504d";
  if (state == "cancelled") return "#d7a13b";
  return "#c9ccd1";
}
constexpr const char* waiting_colour = "#c9ccd1";

std::string printed(const char* format, double a, double b = 0, double c = 0, double d = 0) {
  std::array<char, 256> text{};
  const int size = std::snprintf(text.data(), text.size(), format, a, b, c, d);
  return std::string(text.data(), static_cast<std::size_t>(std::clamp(size, 0, static_cast<int>(text.size()) - 1)));
}

// Fit to stand in XML: control characters are visible by now, so only its own signs are left.
std::string xml_text(std::string_view text) {
  std::string out;
  for (const char byte : safe_text(text)) {
    if (byte == '&') out += "&amp;";
    else if (byte == '<') out += "&lt;";
    else if (byte == '>') out += "&gt;";
    else if (byte == '"') out += "&quot;";
    else out += byte;
  }
  return out;
}

std::int64_t time_of(const Json& of, const char* name, std::int64_t otherwise) {
  const auto at = of.find(name);
  return at != of.end() && at->is_number() ? at->get<std::int64_t>() : otherwise;
}

std::string text_of(const Json& of, const char* name) {
  const auto at = of.find(name);
  return at != of.end() && at->is_string() ? at->get<std::string>() : std::string();
}

double seconds(std::int64_t usec) { return static_cast<double>(usec) / 1e6; }

// 1, 2 or 5 times a power of ten, so that there are some eight of them in `whole`.
double step_of(double whole) {
  double step = 1e-6;
  while (step * 8 < whole) {
    if (step * 2 * 8 >= whole) return step * 2;
    if (step * 5 * 8 >= whole) return step * 5;
    step *= 10;
  }
  return step;
}

class Picture {
 public:
  Picture(std::int64_t begin, std::int64_t end, std::size_t lines) : begin_(begin), span_(std::max<std::int64_t>(end - begin, 1)) {
    height_ = head_height + static_cast<double>(lines) * line_height + margin;
    out_ = printed("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" font-family=\"sans-serif\" font-size=\"12\">\n",
                   margin + label_width + time_width + margin, height_);
    out_ += "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
  }

  void head(const std::string& title) {
    out_ += printed("<text x=\"%.0f\" y=\"20\" font-size=\"14\" font-weight=\"bold\">", margin) + xml_text(title) + "</text>\n";
    const double whole = seconds(span_), step = step_of(whole);
    for (int i = 0; i * step <= whole; ++i) {
      const double x = margin + label_width + i * step / whole * time_width;
      out_ += printed("<line x1=\"%.1f\" y1=\"%.0f\" x2=\"%.1f\" y2=\"%.0f\" stroke=\"#e3e5e8\"/>\n", x, head_height - 8, x, height_ - margin);
      out_ += printed("<text x=\"%.1f\" y=\"%.0f\" fill=\"#707680\" text-anchor=\"middle\">", x, head_height - 12) + (i ? duration_text(i * step) : "0") + "</text>\n";
    }
  }

  void begin_line(const std::string& label, const std::string& remark) {
    out_ += "<g><title>" + xml_text(remark) + "</title>\n";
    out_ += printed("<text x=\"%.0f\" y=\"%.0f\">", margin, y() + bar_height - 3) + xml_text(label) + "</text>\n";
  }
  void bar(std::int64_t from, std::int64_t to, const char* colour, double height = bar_height) {
    constexpr double least = 1.5;  // what takes no time is to be seen all the same
    const double width = std::max(static_cast<double>(to - from) / static_cast<double>(span_) * time_width, least);
    const double x = std::min(place(from), margin + label_width + time_width - least);
    out_ += printed("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"", x, y() + (bar_height - height) / 2, width, height);
    out_ += std::string(" fill=\"") + colour + "\"/>\n";
  }
  void end_line() {
    out_ += "</g>\n";
    ++line_;
  }

  std::string finish() && { return std::move(out_) + "</svg>\n"; }

 private:
  double y() const { return head_height + line_ * line_height; }
  double place(std::int64_t usec) const { return margin + label_width + static_cast<double>(usec - begin_) / static_cast<double>(span_) * time_width; }

  std::string out_;
  std::int64_t begin_, span_;
  double height_ = 0;
  int line_ = 0;
};

void draw(Picture& picture, const Json& job, std::int64_t now_usec) {
  const std::int64_t submitted = time_of(job, "submittedUSec", now_usec), ended = time_of(job, "endedUSec", now_usec);
  const std::int64_t started = time_of(job, "startedUSec", ended);
  const std::string state = text_of(job, "state"), error = text_of(job, "errorMessage");
  std::string remark = state + ", waited " + duration_text(seconds(started - submitted)) + ", took " + duration_text(seconds(ended - started));
  if (!error.empty()) remark += ": " + error;
  picture.begin_line(text_of(job, "id") + "  " + text_of(job, "kind"), remark);
  picture.bar(submitted, ended, waiting_colour, bar_height / 3);
  for (const Json& attempt : job.value("attempts", Json::array())) {
    const std::int64_t begin = time_of(attempt, "startedUSec", started), end = time_of(attempt, "endedUSec", ended);
    const std::string how = text_of(attempt, "state");
    picture.bar(begin, end, colour_of(how.empty() ? state : how));
  }
  picture.end_line();
}

}  // namespace

std::string timeline_svg(const std::vector<Json>& jobs, std::int64_t now_usec) {
  std::int64_t begin = now_usec, end = 0;
  for (const Json& job : jobs) {
    begin = std::min(begin, time_of(job, "submittedUSec", now_usec));
    end = std::max(end, time_of(job, "endedUSec", now_usec));
  }
  if (jobs.empty()) end = begin;
  Picture picture(begin, end, jobs.size());
  picture.head(std::to_string(jobs.size()) + (jobs.size() == 1 ? " job" : " jobs") + " from " + time_text(begin) + ", " + duration_text(seconds(end - begin)));
  for (const Json& job : jobs) draw(picture, job, now_usec);
  return std::move(picture).finish();
}

}  // namespace corunctl
