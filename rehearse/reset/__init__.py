"""Undoing: what a rehearsal would leave (forecast), the way back (plan), going it (apply), whether it led there.

A change of an org comes from `baseline.compare`; `hazards` says what it can be undone to; forecast, plan and proof
all ask that one table. What decides is pure, and stands apart from what reads an org and what writes one.

Where what lives:

    model, inputs                        the nouns: plan, action, blocked item, grade, proof; what a plan is built from
    hazards, *_hazards                   the table of hazards: metadata, records, steps, what cannot be seen or deployed
    *_marks                              what is observed on one change, for that table to judge
    forecast_*, forecast                 before the rehearsal: what of a package and its rows could be undone
    gather, live_capture                 reading an org for a plan: difference, values, recycle bin, schemas
    plan_*, plan, record_plan, order,    the ordered actions that undo a difference, and what stays and why
    phases
    *_rows, housed_values, cascades,     which rows a plan may not touch, what lives in what it destroys, what hangs on
    file_parts, people, persons,         whom; names of people; person accounts; drafts
    activation, companions, pictures
    binned, carriers, ghosts,            what comes out of the bin, and along with what
    gone_targets, lost_*,                what does not come back as it was: purged rows, targets and values that are
    coupled, fields_away, cut_off,       away, taken, or refused by now; fields that move each other; what rows that
    refused_values, inactive_owners,     stay hold up
    taken_values, kept_below,
    named_parts
    flow_states, remade_flows,           flows by their versions; components that were deleted and made again
    made_again, component_names,         under their names, or renamed; what names say about each other
    renamed, scheduled_again
    profile_undo, profile_layouts,       grants and layouts that a deployment only merges; edits of metadata files
    component_xml
    gates, egress, storage_room,         what must hold before anything is written: quiet, no way out, room, a plan that
    staleness, stillness, newer_edits    still fits, an org that stands still
    apply_*, apply, context, next_pass,  the writing: phases and passes, batches, bulk jobs, deployments, inserts; calls
    batches, bulk_jobs, row_state,       whose reply was lost
    settle
    bypass_*, bypass                     the org's own automation, silenced and put back
    prove, grading, uncompared, outside, is it as it was: `prove` takes a fresh capture, `grading` gives each change its
    setup_changes, assumptions,          outcome, `prove.find_verdict` the verdict; what was not compared, or is outside
    next_steps, listed                   what to do about a refusal; many names in a sentence
    plan_file, proof_file, id_map,       what is kept: files, signed; old and new Ids; what was let out; resets that
    let_out, broken_off                  were broken off
    drill_*, drill                       the whole of it tried on a canary
    backout_*, backout, deploy_zip       a release taken back by the team's own pipeline; the zips of deployments
"""
