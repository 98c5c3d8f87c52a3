//! Whether a bill of materials is one: by the schema of CycloneDX 1.6 that npm `@cyclonedx/cyclonedx-library` brings.
#![expect(clippy::disallowed_methods, reason = "runs Python, which has the validator of JSON Schemas")]

use crate::stack::{root, target};

const PROGRAM: &str = "import json, sys, pathlib
from jsonschema import Draft7Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7
schemas = pathlib.Path(sys.argv[1])
load = lambda name: json.loads((schemas / name).read_text())
known = {n: Resource.from_contents(load(n), default_specification=DRAFT7) for n in ['spdx.SNAPSHOT.schema.json', 'jsf-0.82.SNAPSHOT.schema.json', 'cryptography-defs.SNAPSHOT.schema.json']}
registry = Registry().with_resources([(n, r) for n, r in known.items()] + [('http://cyclonedx.org/schema/' + n, r) for n, r in known.items()])
errors = list(Draft7Validator(load('bom-1.6.SNAPSHOT.schema.json'), registry=registry).iter_errors(json.load(open(sys.argv[2]))))
print([e.message for e in errors]); sys.exit(len(errors))";

/// Panics with the errors of the schema.
pub fn check(bill: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("bom.json"), bill).expect("written");
    let checked = std::process::Command::new(target().join("python/bin/python"))
        .args(["-c", PROGRAM])
        .arg(root().join("node_modules/@cyclonedx/cyclonedx-library/res/schema"))
        .arg(folder.path().join("bom.json"))
        .output()
        .expect("it runs");
    assert!(checked.status.success(), "{bill}: {}{}", String::from_utf8_lossy(&checked.stdout), String::from_utf8_lossy(&checked.stderr));
}
