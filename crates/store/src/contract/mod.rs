//! Every case is an async function over a fresh, empty store, named as the sentence that it proves. A
//! backend runs them all with [`contract_tests!`](crate::contract_tests).
#![expect(missing_docs, reason = "the name of a case is its sentence")]
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

pub mod apps;
pub mod clock;
pub mod inbox;
pub mod keys;
pub mod messages;
pub mod polling;
pub mod schedules;

mod fixtures;

/// Makes one named test of every case of the contract.
///
/// `$make_store` names an async function without arguments that makes a fresh, empty store: it returns
/// something that dereferences to it and something that keeps its files alive. The crate needs `tokio`.
///
/// ```text
/// async fn make_store() -> (store::SharedStore, tempfile::TempDir) { … }
/// store::contract_tests!(make_store);
/// ```
#[macro_export]
macro_rules! contract_tests {
    ($make_store:ident) => {
        $crate::contract_cases! { $make_store
            apps = apps {
                an_app_is_found_by_its_name_with_its_settings
                a_taken_name_makes_no_second_app
                of_concurrent_creations_of_one_name_exactly_one_wins
                apps_are_listed_by_name
                settings_are_replaced_whole
                the_access_version_grows_with_each_change_of_an_app_or_key
                deleting_an_app_frees_its_name_and_hides_everything
                a_deleted_app_takes_no_import_and_no_key
                apps_never_see_each_others_inbox
                apps_never_see_each_others_keys
            }
            keys = keys {
                a_key_comes_back_as_it_was_stored
                a_digest_is_taken_once
                keys_are_listed_oldest_first_with_revoked_and_expired_ones
                a_key_is_revoked_once_and_stays_so
            }
            messages_append = messages::append {
                the_first_message_makes_the_channel_and_has_seq_1
                a_channel_has_one_order_without_holes_under_concurrent_appends
                channels_written_at_once_each_have_their_own_order
                ids_are_uuid_version_7_and_ascend_over_all_channels
                the_cap_refuses_one_channel_more_and_no_message
                the_cap_holds_when_channels_are_made_at_once
                apps_never_see_each_others_channels
            }
            messages_idempotency = messages::idempotency {
                the_same_key_and_body_give_the_first_answer_and_no_message
                the_same_key_with_another_body_is_refused
                of_the_same_key_used_at_once_exactly_one_publishes
                keys_of_another_app_are_other_keys
                a_refused_channel_does_not_use_up_the_key
            }
            messages_content = messages::content {
                payloads_come_back_as_written_to_the_digit
                every_field_comes_back
                headers_keep_their_order
                a_large_payload_comes_back
            }
            messages_start = messages::start {
                each_form_of_since_has_its_start_in_a_whole_history
                each_form_of_since_has_its_start_in_a_history_that_lost_messages
                a_channel_that_never_was_starts_before_whatever_comes
            }
            messages_read = messages::read {
                every_range_has_its_messages_in_order
                an_absent_channel_has_no_page
                a_page_ends_where_its_bytes_are_full_but_has_a_first_message
                what_left_the_count_window_is_never_answered
                the_first_window_whose_pattern_matches_counts
            }
            messages_published = messages::published {
                a_published_message_is_found_by_its_id
                an_unknown_id_is_not_found
                an_id_of_another_app_is_not_found
                what_left_the_window_is_not_found
            }
            messages_channels = messages::channels {
                channels_are_listed_by_name_with_where_they_stand
                a_page_of_channels_goes_on_after_a_name
                a_deleted_channel_is_gone_at_once
                a_channel_made_anew_is_another_incarnation_from_seq_1
                deletes_and_publishes_at_once_leave_one_incarnation
            }
            schedules_schedule = schedules::schedule {
                a_schedule_comes_back_as_it_was_stored
                a_schedule_makes_its_channel_under_the_cap
                the_cap_counts_what_waits
                the_same_key_and_body_make_one_schedule
                the_earliest_due_time_of_all_apps_is_told
            }
            schedules_change = schedules::change {
                a_schedule_is_cancelled_once
                an_edit_replaces_what_it_names
                an_edit_without_a_next_due_time_ends_the_schedule
            }
            schedules_list = schedules::list {
                schedules_are_listed_in_the_order_they_were_made
                a_page_of_schedules_ends_where_its_bytes_are_full
            }
            polling = polling {
                a_subscription_comes_back_as_it_was_stored
                a_subscription_begins_before_the_first_message_of_its_window
                a_cursor_moves_only_from_where_it_stands
                of_concurrent_polls_one_advances_the_cursor
                a_subscription_is_deleted_once
                an_expired_subscription_is_gone_unless_it_was_polled
                the_cap_refuses_one_subscription_more
                deleting_a_channel_ends_its_subscriptions_and_no_later_ones
                many_subscriptions_of_a_deleted_channel_make_room_in_time
                apps_never_see_each_others_subscriptions
            }
            inbox_import = inbox::import {
                a_message_comes_back_as_it_was_imported
                an_empty_import_imports_nothing
                new_messages_go_in_beside_duplicates_and_the_first_of_these_is_told
                of_an_id_repeated_in_an_import_the_first_message_stays
                the_first_duplicate_is_told_in_import_order
                an_id_stays_taken_in_every_state
                an_import_of_many_slices_is_whole
                of_concurrent_imports_of_the_same_ids_exactly_one_wins_each
            }
            inbox_list = inbox::list {
                a_list_is_ordered_by_prio_then_newer_created_then_id
                the_limit_keeps_the_best
                the_best_of_many_are_listed_whatever_order_they_came_in
                a_list_holds_whole_messages_in_their_order
                a_message_is_shown_from_created_until_before_expires
                a_user_sees_only_own_messages
                a_client_sees_only_messages_for_it
                only_imported_messages_are_listed
                pages_cover_all_without_repeats_while_messages_are_deleted_between
                after_a_message_no_longer_listed_the_list_goes_on_behind_its_place
                after_an_id_that_the_user_does_not_have_the_list_is_empty
            }
            inbox_states = inbox::states {
                a_message_is_deleted_once
                of_concurrent_deletions_one_wins
                only_the_owner_deletes_where_an_owner_is_given
                what_is_not_yet_or_no_longer_shown_is_deleted_and_retracted_too
                states_change_as_the_contract_says_and_no_other_way
                deleting_all_of_a_user_leaves_the_others_alone
                a_retract_tells_in_order_what_it_did_not_retract
                a_retract_of_many_slices_is_whole
            }
            inbox_changes = inbox::changes {
                a_snapshot_is_the_list_with_its_counts_and_what_comes_next
                changes_tell_what_the_cursor_does_not_know_and_nothing_twice
                that_the_campaign_system_knows_of_a_deletion_is_no_change
                a_message_appears_and_expires_by_time_alone
                what_was_never_to_be_seen_is_not_taken_away
                changes_of_other_users_clients_and_apps_are_not_told
                many_changes_come_in_pages_that_lose_nothing
                a_cursor_is_too_old_once_a_cleanup_removed_what_it_does_not_know
                a_cursor_of_another_life_or_of_the_future_is_refused
                only_what_a_user_is_shown_is_marked_as_read
                who_follows_changes_made_at_the_same_time_loses_none
            }
            inbox_sync = inbox::sync {
                where_nothing_is_deleted_nothing_is_claimed
                claims_are_exclusive_under_concurrency_and_miss_nothing
                a_claim_takes_as_many_as_its_limit
                a_claim_runs_out_at_its_time
                what_another_took_over_is_not_marked
                a_released_claim_can_be_claimed_at_once
                marking_touches_only_the_batch
            }
            inbox_cleanup = inbox::cleanup {
                cleanup_keeps_deleted_messages_for_the_sync
                cleanup_without_a_sync_removes_expired_deleted_messages_too
                a_message_is_removed_from_its_expiry_on
                an_id_is_free_again_after_cleanup
                a_cleanup_of_many_slices_removes_all_that_goes_and_nothing_else
            }
        }
    };
}

/// The same for the cases that move the store's clock: `$make_store` is given the clock, a shared
/// [`ManualClock`](clock::ManualClock).
#[macro_export]
macro_rules! contract_tests_with_clock {
    ($make_store:ident) => {
        $crate::contract_cases_with_clock! { $make_store
            messages_idempotency = messages::idempotency {
                a_key_is_kept_for_24_hours
            }
            schedules_fire = schedules::fire {
                a_one_shot_is_published_at_its_time_under_its_own_id
                a_message_of_a_schedule_is_found_and_read_like_any_other
                a_repetition_keeps_its_cadence_however_late_it_is_picked_up
                of_what_was_missed_the_latest_is_published_and_the_rest_skipped
                a_repetition_ends_after_its_last_due_time
                a_call_picks_up_at_most_its_limit_the_earliest_first
                calls_at_once_publish_each_occurrence_once
                where_the_gate_refuses_the_schedule_fails_and_nothing_is_published
                deleting_a_channel_fails_its_schedules_at_once
                what_has_ended_is_forgotten_after_7_days
                times_of_a_channel_never_go_backwards_for_occurrences_either
            }
            schedules_change = schedules::change {
                what_is_cancelled_is_not_published
                an_edit_of_what_has_changed_since_does_nothing
            }
            schedules_list = schedules::list {
                occurrences_tell_every_due_time_that_has_passed
            }
            polling = polling {
                what_has_expired_makes_room_in_time
            }
            messages_time = messages::time {
                a_message_has_the_time_of_the_stores_clock
                times_and_ids_never_go_backwards_when_the_clock_does
                since_a_duration_starts_at_the_first_message_that_is_not_older
                what_left_the_age_window_is_never_answered
                an_empty_history_goes_on_where_it_stood
                each_pattern_has_its_own_age
            }
        }
    };
}

/// The tests of [`contract_tests_with_clock!`](crate::contract_tests_with_clock).
#[doc(hidden)]
#[macro_export]
macro_rules! contract_cases_with_clock {
    ($make_store:ident $($module:ident = $first:ident $(:: $rest:ident)* { $($case:ident)* })*) => {
        mod with_clock {
            $(
                mod $module {
                    use $crate::contract::$first$(::$rest)* as cases;

                    $(
                        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                        async fn $case() {
                            let clock = std::sync::Arc::new($crate::contract::clock::ManualClock::default());
                            let (store, _guard) = super::super::$make_store(clock.clone()).await;
                            cases::$case(&*store, &clock).await;
                            store.close().await.unwrap();
                        }
                    )*
                }
            )*
        }
    };
}

/// The tests of [`contract_tests!`](crate::contract_tests): `module = path of the cases { cases }`.
#[doc(hidden)]
#[macro_export]
macro_rules! contract_cases {
    ($make_store:ident $($module:ident = $first:ident $(:: $rest:ident)* { $($case:ident)* })*) => {
        $(
            mod $module {
                use $crate::contract::$first$(::$rest)* as cases;

                $(
                    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $case() {
                        let (store, _guard) = super::$make_store().await;
                        cases::$case(&*store).await;
                        store.close().await.unwrap();
                    }
                )*
            }
        )*
    };
}
