//! The faults of a bill, as many as its reader and the outputs of a step can take.

use super::fault::Fault;

/// Most faults that are listed one by one: with their longest texts they take half of what the outputs of a step may.
const FAULTS: usize = 100;

#[derive(Default)]
pub(super) struct Faults {
    listed: Vec<Fault>,
    /// How many more there are.
    more: usize,
}

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        if self.listed.len() < FAULTS {
            self.listed.push(fault);
        } else {
            self.more += 1;
        }
    }

    /// Adds what concerns the whole bill: it is listed, however many others there are.
    pub(super) fn add_first(&mut self, fault: Fault) {
        if self.listed.len() == FAULTS {
            self.listed.pop();
            self.more += 1;
        }
        self.listed.insert(0, fault);
    }

    /// Each as `subject: reason`; beyond the limit only their number.
    pub(super) fn texts(&self) -> Vec<String> {
        let mut texts: Vec<String> = self.listed.iter().map(Fault::to_string).collect();
        if self.more > 0 {
            texts.push(format!("{} more faults are not listed", self.more));
        }
        texts
    }
}

#[cfg(test)]
mod tests {
    use super::super::fault::Fault;
    use super::Faults;

    #[test]
    fn the_first_hundred_are_listed_and_what_concerns_the_whole_bill() {
        let mut faults = Faults::default();
        assert_eq!(faults.texts(), [""; 0]);
        (0..200).for_each(|n| faults.add(Fault::new(&format!("f{n}"), "is a fifo")));
        assert_eq!((faults.texts().len(), faults.texts()[99].as_str()), (101, "f99: is a fifo"));
        assert_eq!(faults.texts()[100], "100 more faults are not listed");
        faults.add_first(Fault::new("the bill", "is too large"));
        assert_eq!((faults.texts().len(), faults.texts()[0].as_str()), (101, "the bill: is too large"));
        assert_eq!(faults.texts()[100], "101 more faults are not listed");
    }

    #[test]
    fn the_longest_faults_fit_the_outputs_of_a_step() {
        for text in ["é", "\"", "\u{1}", "\u{7f}", "\r\n\\", "\u{10ffff}"] {
            let (long, mut faults) = (text.repeat(1 << 12), Faults::default());
            (0..200).for_each(|_| faults.add(Fault::new(&long, &long)));
            let bytes = serde_json::to_string(&faults.texts()).expect("texts").len();
            assert!(bytes < 128 << 10, "{text:?}: {bytes} bytes");
        }
        assert_eq!(Fault::new("a\u{1}b", " x\n\n y\u{7}").to_string(), "a b: x y ");
    }
}
