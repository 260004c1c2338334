use super::Verdicts;

#[test]
fn verdicts_are_known_from_where_the_ring_begins_on() {
    let mut verdicts = Verdicts::default();
    verdicts.forget_before(1_000);
    for seq in [1_000, 1_023, 1_024, 1_500] {
        assert_eq!(verdicts.get(seq), None);
        verdicts.set(seq, seq % 2 == 0);
    }
    assert_eq!(verdicts.get(1_000), Some(true));
    assert_eq!(verdicts.get(1_023), Some(false));
    assert_eq!(verdicts.get(1_024), Some(true));
    assert_eq!(verdicts.get(1_500), Some(true));
    assert_eq!(
        (verdicts.get(1_001), verdicts.get(1_499), verdicts.get(9_000)),
        (None, None, None)
    );

    verdicts.forget_before(1_400);
    assert_eq!((verdicts.get(1_024), verdicts.get(1_500)), (None, Some(true)));
    verdicts.forget_before(3_000);
    assert_eq!(verdicts.get(1_500), None);
    assert!(verdicts.blocks.is_empty(), "what is forgotten takes no memory");
    verdicts.set(3_000, true);
    verdicts.forget_before(10);
    assert_eq!(verdicts.get(3_000), None, "the ring began anew");
    verdicts.set(10, false);
    assert_eq!(verdicts.get(10), Some(false));
}

#[test]
fn a_ring_of_1024_messages_costs_a_group_at_most_17_blocks() {
    let mut verdicts = Verdicts::default();
    for seq in 1_u64..10_000 {
        verdicts.forget_before(seq.saturating_sub(1_023));
        verdicts.set(seq, true);
        assert!(verdicts.blocks.len() <= 17);
    }
}
