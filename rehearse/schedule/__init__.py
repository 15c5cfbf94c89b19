"""When may a sandbox be refreshed, and where does each rehearsal go: the ledger, the bookings and the planner.

Times of a planning are whole minutes (`axis`); whatever solver made a schedule, it is held against the judge (`rules`),
which shares no code with it.

Where what lives, by the beginning of a file's name:

    model                                the nouns: what is free, booked, wanted, and what came out
    ledger_*, ledger                     every refresh ever seen: next dates, copy times, the rule behind them, sheets
    wall, axis, blackouts, blackout_feed working days and hours over clock changes, minutes, what may not be used
    store, deeds, releases_store,        the workspace database: bookings and their history, go-lives, validations, when
    validations, uses                    a sandbox was last used
    slots, preparation, booked, broken_* free times; what prepares a booking; a schedule as bookings; what was broken
    broken, clones                       since; which sandboxes copy others
    problem, demand, site, second_run    one planning in minutes: rehearsals, sandboxes, room for a second run
    solver_*, solver, search             the exact model (CP-SAT) and its goals; solver_large, solver_parts and
                                         solver_bounds for a year
    greedy_*, greedy, drafts, narrow_*,  schedules at once: one pass, drafts of a finer picture, narrowed problems
    narrow
    outline_*, outline                   coarse pictures of a year (HiGHS): what to keep in use, and bounds
    course_*, course                     the best course of a year, from go-live to go-live: the same, without halves
    answer, goals                        from a solution to a schedule, and what it costs
    explain, clash, rows, fit, sentences why something did not fit, in rules, and what would help
    repairs, repairs_together, why_here  ways out, checked; why a rehearsal is not earlier
    rules_*, rules                       the judge: one small function a rule
"""
