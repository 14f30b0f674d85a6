use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

#[test]
fn values_print_as_python_prints_them() {
    for (value, expected) in [
        (json!(null), "None"),
        (json!(true), "True"),
        (json!(5), "5"),
        (json!(1e16), "1e+16"),
        (json!(1e15), "1000000000000000.0"),
        (json!(1e-5), "1e-05"),
        (json!(0.0001), "0.0001"),
        (json!(-0.0), "-0.0"),
        (json!(1.2345678901234568e29), "1.2345678901234568e+29"),
        (json!(18_446_744_073_709_551_615_u64), "18446744073709551615"),
        (json!("it's"), "\"it's\""),
        (json!("'\""), "'\\'\"'"),
        (
            json!({"a": [1, "x'y", "q\"z", null, true, 1.0, "é\n\t\\"], "b": {}}),
            "{'a': [1, \"x'y\", 'q\"z', None, True, 1.0, 'é\\n\\t\\\\'], 'b': {}}",
        ),
        (json!("\u{200b}\u{a0}\u{7f}\u{80}😀"), "'\\u200b\\xa0\\x7f\\x80😀'"),
        (json!("\u{378}\u{e000}\u{ad}\u{2028}e\u{301}"), "'\\u0378\\ue000\\xad\\u2028e\u{301}'"),
    ] {
        assert_eq!(repr(&value), expected);
    }
    assert_eq!(str(&json!("it's")), "it's");
}

#[test]
fn texts_become_integers_as_in_python() {
    for (text, expected) in
        [(" 7\n", "7"), ("+5", "5"), ("-0", "0"), ("1_000", "1000"), ("\u{a0}٣", "3"), ("-007", "-7")]
    {
        assert_eq!(int(&json!(text)).unwrap().to_string(), expected, "{text:?}");
    }
    for text in ["", "1__0", "_1", "1e3", "0x5", "5 5", "- 5", "1.", "½", "5\u{200b}"] {
        let message = int(&json!(text)).unwrap_err().message;
        assert_eq!(message, format!("invalid literal for int() with base 10: {}", repr(&json!(text))));
    }
    let long = "9".repeat(4301);
    assert!(int(&json!(long)).unwrap_err().message.contains("value has 4301 digits"));
    let quoted = int(&json!("x".repeat(300))).unwrap_err().message;
    assert_eq!(quoted.chars().filter(|c| *c == 'x').count(), 199);
}

#[test]
fn other_values_become_integers_as_in_python() {
    assert_eq!(int(&json!(64.9)).unwrap().to_string(), "64");
    assert_eq!(int(&json!(-0.5)).unwrap().to_string(), "0");
    assert_eq!(int(&json!(true)).unwrap().to_string(), "1");
    assert_eq!(int(&json!(1e30)).unwrap().to_string(), "1000000000000000019884624838656");
    assert!(int(&json!(null)).unwrap_err().message.ends_with("not 'NoneType'"));
}

#[test]
fn texts_become_floats_as_in_python() {
    for (text, expected) in [
        (" 1.5\t", 1.5),
        ("1_0.5", 10.5),
        ("1e1_0", 1e10),
        (".5", 0.5),
        ("1.", 1.0),
        ("-iNF", f64::NEG_INFINITY),
        ("1e400", f64::INFINITY),
        ("٣.٥", 3.5),
    ] {
        assert_eq!(float(&json!(text)).unwrap().to_bits(), f64::to_bits(expected), "{text:?}");
    }
    assert!(float(&json!("+nan")).unwrap().is_nan());
    for text in ["", ".", "1e", "1_e5", "0x1p3", "1,5", "infinit", "--1", "e5"] {
        assert!(float(&json!(text)).is_err(), "{text:?}");
    }
}

#[test]
fn numbers_compare_exactly_across_kinds() {
    assert!(equal(&json!(1), &json!(1.0)));
    assert!(equal(&json!([true, {"a": 0}]), &json!([1, {"a": false}])));
    assert!(!equal(&json!(9_007_199_254_740_993_i64), &json!(9_007_199_254_740_992.0)));
    assert!(!equal(&json!("1"), &json!(1)));
    let below = |value: Value, bound: Value| Scalar::Json(value).compare('<', &bound);
    assert_eq!(below(json!(0.5), json!(1)), Ok(true));
    assert_eq!(below(json!(1), json!(1.5)), Ok(true));
    assert_eq!(below(json!(-1), json!(-1.5)), Ok(false));
    assert_eq!(below(json!(u64::MAX), json!(1e300)), Ok(true));
    assert_eq!(Scalar::Float(f64::NAN).compare('>', &json!(1)), Ok(false));
    assert_eq!(
        below(json!(null), json!(1)).unwrap_err().message,
        "'<' not supported between instances of 'NoneType' and 'int'"
    );
}

#[test]
fn sets_are_walked_as_python_walks_them_without_a_random_seed() {
    let order = |names: &[&str]| {
        hash_seed_zero(names).into_iter().map(|index| names[index].to_owned()).collect::<Vec<_>>().join(" ")
    };
    let names = "width height batch_size color model seed steps cfg sampler_name scheduler positive negative \
                 latent_image denoise";
    assert_eq!(
        order(&names.split_whitespace().collect::<Vec<_>>()),
        "denoise positive cfg negative height width seed scheduler color model steps batch_size sampler_name latent_image"
    );
    let numbers: Vec<String> = (0..40).map(|number| number.to_string()).collect();
    assert_eq!(
        order(&numbers.iter().map(String::as_str).collect::<Vec<_>>()),
        "38 9 23 8 5 10 15 27 17 7 11 28 22 26 14 24 39 0 37 4 16 33 12 34 25 2 13 21 6 1 3 35 31 20 18 30 32 36 29 19"
    );
    assert_eq!(order(&["1", "2", "1"]), "2 1");
    assert_eq!(order(&["узел 1", "10:4", "3", "a.b.0"]), "узел 1 10:4 a.b.0 3");
    assert_eq!(order(&["", "узел", "😀x"]).len(), " узел 😀x".len());
}

proptest! {
    #[test]
    fn every_name_comes_once(names in proptest::collection::vec(".{0,4}", 0..200)) {
        let order = hash_seed_zero(&names);
        let walked: std::collections::HashSet<&String> = order.iter().map(|index| &names[*index]).collect();
        prop_assert_eq!(walked.len(), order.len());
        prop_assert_eq!(walked, names.iter().collect());
    }

    #[test]
    fn floats_print_so_that_they_read_back(float in any::<f64>()) {
        let text = float_repr(float);
        let back = self::float(&json!(text)).unwrap();
        prop_assert!(back.to_bits() == float.to_bits() || float.is_nan());
    }

    #[test]
    fn integers_keep_their_order(left in any::<i64>(), right in any::<i64>()) {
        prop_assert_eq!(Int::from(i128::from(left)).cmp(&Int::from(i128::from(right))), left.cmp(&right));
    }
}
