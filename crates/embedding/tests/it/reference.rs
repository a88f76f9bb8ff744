//! Vectors are those of `tests/oracle.py`, a second forward pass in double precision; what it was run on is what is shipped.

use std::fs;
use std::path::Path;

use reeve_embedding::DIMENSIONS;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{MODEL, cosine};

#[derive(Deserialize)]
struct Golden {
    text: String,
    vector: Vec<f32>,
}

fn golden() -> Vec<Golden> {
    serde_json::from_str(include_str!("../vectors.json")).expect("the golden file is what the reference wrote")
}

#[test]
fn vectors_are_those_of_the_reference() {
    let golden = golden();
    assert!(golden.len() >= 10);
    let texts: Vec<&str> = golden.iter().map(|golden| golden.text.as_str()).collect();
    for (Golden { text, vector }, ours) in golden.iter().zip(MODEL.embed(&texts)) {
        assert_eq!((ours.len(), vector.len()), (DIMENSIONS, DIMENSIONS));
        assert!((cosine(&ours, &ours).sqrt() - 1.0).abs() < 1e-5, "{text:?} has not the length 1");
        assert!(cosine(&ours, vector) > 0.9999, "{text:?}: cosine {}", cosine(&ours, vector));
        // Far closer than the cosine asks for: what is left is the difference between single and double precision.
        let furthest = ours.iter().zip(vector).map(|(ours, theirs)| (ours - theirs).abs()).fold(0.0, f32::max);
        assert!(furthest < 1e-5, "{text:?}: a number is {furthest} off");
    }
}

#[test]
fn likeness_is_that_of_the_reference() {
    let golden = golden();
    let texts: Vec<&str> = golden.iter().map(|golden| golden.text.as_str()).collect();
    let ours: Vec<(&Golden, Vec<f32>)> = golden.iter().zip(MODEL.embed(&texts)).collect();
    for (a, our_a) in &ours {
        for (b, our_b) in &ours {
            let (ours, theirs) = (cosine(our_a, our_b), cosine(&a.vector, &b.vector));
            assert!((ours - theirs).abs() < 1e-4, "{:?} and {:?}: {ours}, and {theirs} by the reference", a.text, b.text);
        }
    }
}

#[test]
fn the_name_holds_the_hash_of_the_weights() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/embedding/minilm/minilm-q8.safetensors");
    let hash = hex::encode(Sha256::digest(fs::read(path).unwrap()));
    assert_eq!(MODEL.name(), format!("all-MiniLM-L6-v2-q8@{}", &hash[..8]));
}
