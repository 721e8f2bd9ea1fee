//! Names that are clearly nobody's: colours, trees and the word "Sim".

use crate::random::Random;

const FAMILY: [&str; 32] = [
    "Simfern", "Simoak", "Simbirch", "Simwillow", "Simmaple", "Simcedar", "Simhazel", "Simrowan",
    "Simalder", "Simaspen", "Simbeech", "Simelm", "Simlarch", "Simlinden", "Simpine", "Simyew",
    "Simamber", "Simazure", "Simcobalt", "Simcoral", "Simcrimson", "Simivory", "Simjade",
    "Simochre", "Simolive", "Simrose", "Simruby", "Simsaffron", "Simsienna", "Simteal",
    "Simumber", "Simviolet",
];
const FEMALE: [&str; 8] = ["Ada", "Berta", "Clara", "Dora", "Edda", "Frieda", "Greta", "Hanna"];
const MALE: [&str; 8] = ["Anton", "Bruno", "Carl", "Dieter", "Emil", "Felix", "Georg", "Hugo"];

/// The family name of the `index`-th resident: distinct for the first 32, numbered after that.
pub(super) fn family(index: usize) -> String {
    let name = FAMILY[index % FAMILY.len()];
    match index / FAMILY.len() {
        0 => name.to_owned(),
        round => format!("{name}-{}", round + 1),
    }
}

/// A given name.
pub(super) fn given(female: bool, random: &mut Random) -> String {
    let names = if female { &FEMALE } else { &MALE };
    names[random.below(names.len())].to_owned()
}
