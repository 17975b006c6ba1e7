//! The pure request path, for counting its instructions under callgrind. `tests/tests/instructions.rs` runs it and compares the counts with
//! the kept ones.
//!
//! The argument selects a part of the path. Callgrind collects only within [`counted`].

mod scene;
mod sites;

use scene::Scene;

/// A part of the request path.
type Part = fn(&mut Scene);

const PARTS: [(&str, Part); 5] = [
    ("parse", Scene::parse),
    ("decide", Scene::decide),
    ("edit", Scene::edit),
    ("forward", Scene::forward),
    ("exchange", Scene::serve),
];

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    // Without the name of a part, as `cargo test --benches` runs it, each part runs once.
    for (part, run) in PARTS {
        if name == part || name.starts_with('-') || name.is_empty() {
            counted(run, &mut Scene::new());
        }
    }
}

#[inline(never)]
fn counted(run: Part, scene: &mut Scene) {
    run(scene);
}
