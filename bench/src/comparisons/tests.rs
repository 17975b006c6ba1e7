use super::*;

/// Numbers around a mean, without a pattern.
fn sample(mean: f64, seed: u64) -> Vec<f64> {
    let mut random = Random(seed);
    (0..10_000)
        .map(|_| mean + random.below(1_000) as f64 / 10.0)
        .collect()
}

// Row A-05: comparison in constant time.
#[test]
fn samples_that_differ_are_told_apart_and_equal_ones_are_not() {
    let left = sample(500.0, 1);
    assert!(welch(&left, &sample(500.0, 2)).abs() < CRITICAL);
    assert!(welch(&left, &sample(505.0, 3)) < -CRITICAL);
    assert!(welch(&sample(505.0, 4), &left) > CRITICAL);
}

#[test]
fn each_kind_of_guess_is_judged_and_refused() {
    let compared = measure(50);
    assert_eq!(compared.len(), 3);
    for comparison in compared {
        assert!(comparison.means.iter().all(|mean| *mean > 0.0));
        assert!(comparison.t.is_finite(), "{comparison:?}");
    }
    let table = table();
    let right = format!("Bearer {MESSAGE}.{SIGNATURE}");
    for (host, name, value) in [
        ("key.test", "x-api-key", KEY),
        ("jwt.test", "authorization", &right),
        ("issued.test", "authorization", &right),
    ] {
        assert!(!refused(&table, host, (name, value)), "{host}");
    }
}
