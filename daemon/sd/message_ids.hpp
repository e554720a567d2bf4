// SPDX-License-Identifier: MIT
// Every kind of event that corund tells the journal of, by the id that never changes: `journalctl MESSAGE_ID=...`, and the catalog's
// explanation in `journalctl -x`. A new event gets a new id (systemd-id128 new); an id is never given a second meaning.
#pragma once

#include "daemon/sd/record.hpp"

namespace corund::sd::message_ids {

// A job's life. Fields: CORUND_JOB_ID, CORUND_KIND, CORUND_STATE.
inline constexpr MessageId job_submitted{"0500b2f813a44ff39cefba7e1be50a38"};
inline constexpr MessageId job_started{"94377d6ff8924f7fa653ec761b997889"};
inline constexpr MessageId job_ended{"66d53511a27a4dbc84f5e4861f571954"};   // succeeded, cancelled
inline constexpr MessageId job_failed{"0364a32539a94144975e3d5edf38bdec"};  // failed, timedOut, lost; also CORUND_ERROR
inline constexpr MessageId job_retried{"1df0d1da09574b6b8f00c990f023ca59"};  // an attempt failed, another one is due; also CORUND_ATTEMPT, CORUND_ERROR
inline constexpr MessageId job_abandoned{"6bdf2a180eb4474387c88f231e2e47eb"};  // cancelled, and there after its grace: nobody waits for it any more
// Successes of attached coroutine jobs that were counted and not written one by one. Fields: CORUND_KIND, CORUND_COUNT.
inline constexpr MessageId jobs_summed_up{"9b8bb3d027264484bfd8261be1596050"};

// The daemon's life.
inline constexpr MessageId daemon_started{"067e6a93a2d0446fb6f99e3b1c10e95b"};
inline constexpr MessageId daemon_stopping{"dbb28a942800416696c5f12d259b7aee"};
inline constexpr MessageId plugin_refused{"5442ff521f694cc29cedee5a26ac6ba1"};      // CORUND_PLUGIN
inline constexpr MessageId configuration_bad{"8ab1712a023e43f3a358f36ea8bbb28f"};   // CORUND_KEY
// What a former daemon left was taken over. Fields: CORUND_COUNT (jobs that wait), CORUND_LOST.
inline constexpr MessageId jobs_recovered{"c44905b971934a3095be108c148240b6"};
// The disk does not take what is to be kept: submissions are refused, what happened is written later. And: it takes it again.
inline constexpr MessageId store_failing{"7df01c978d6a4806953ff2a324725429"};
inline constexpr MessageId store_recovered{"dec69b39b9f147b1a83ad38f452a1cdb"};

// A step of the event loop runs for too long. Fields: CORUND_JOB_ID where it is a job's, CORUND_SECONDS, CODE_FILE, CODE_LINE.
inline constexpr MessageId loop_blocked{"d5aff35ad82e47fd9beedde61bd73cdc"};
// A job writes more than the log is to take of it. Fields: CORUND_JOB_ID, CORUND_KIND, CORUND_COUNT (lines left out).
inline constexpr MessageId output_dropped{"e81c740a2f6e44cf9253c8950c73f436"};
// Records were dropped because the log could not be written fast enough. Fields: CORUND_COUNT.
inline constexpr MessageId records_dropped{"4ad89d4851414d8f8b4a1490c0fe42ff"};

}  // namespace corund::sd::message_ids
