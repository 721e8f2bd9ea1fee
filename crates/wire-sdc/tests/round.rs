//! Writing and reading undo each other, whatever is written; any bytes get an answer.

use markup::{Limits, read, write};
use proptest::prelude::*;
use wire_sdc::basic::{CodedValue, Handles, InstanceIdentifier, LocalizedText, Numbers, Quantity, Range, Span};
use wire_sdc::descriptor::*;
use wire_sdc::message::{Answer, Answered, Request, SetRequest, Setting};
use wire_sdc::state::*;
use wire_sdc::words::*;
use wire_sdc::*;

fn word<T: Copy + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> {
    proptest::sample::select(all)
}

fn text() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9.<&\"'äß ]{0,12}"
}

fn handle() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9._]{0,12}"
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![(-1_000_000..1_000_000_i64, 0..6).prop_map(|(n, d)| n as f64 / 10_f64.powi(d)), -1e9..1e9_f64]
}

fn maybe<T: std::fmt::Debug>(strategy: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    proptest::option::of(strategy)
}

fn span() -> impl Strategy<Value = Span> {
    (-1_000_000_000_000..1_000_000_000_000_000_i64).prop_map(|nanos| Span { nanos })
}

fn coded() -> impl Strategy<Value = CodedValue> {
    (text(), maybe(text()), proptest::collection::vec((text(), maybe("[a-z]{2}"), maybe(word(TextWidth::ALL))), 0..3)).prop_map(
        |(code, system, texts)| CodedValue {
            code,
            system,
            descriptions: texts
                .into_iter()
                .map(|(text, lang, width)| LocalizedText { text, lang, width, ..LocalizedText::default() })
                .collect(),
            ..CodedValue::default()
        },
    )
}

fn range() -> impl Strategy<Value = Range> {
    (maybe(number()), maybe(number()), maybe(number()))
        .prop_map(|(lower, upper, step)| Range { lower, upper, step, ..Range::default() })
}

fn value_base() -> impl Strategy<Value = ValueBase> {
    (word(Validity::ALL), maybe(word(GenerationMode::ALL)), maybe(number()), maybe(any::<u64>()), maybe(coded())).prop_map(
        |(validity, mode, quality_indicator, determined, note)| ValueBase {
            quality: MetricQuality { validity, mode, quality_indicator },
            annotations: note.into_iter().map(|kind| Annotation { kind }).collect(),
            determined,
            ..ValueBase::default()
        },
    )
}

fn component() -> impl Strategy<Value = ComponentState> {
    (maybe(word(ComponentActivation::ALL)), maybe(any::<u32>()), maybe(any::<i32>())).prop_map(
        |(activation, operating_hours, operating_cycles)| ComponentState {
            activation,
            operating_hours,
            operating_cycles,
            ..ComponentState::default()
        },
    )
}

fn context() -> impl Strategy<Value = ContextState> {
    (handle(), maybe(word(ContextAssociation::ALL)), proptest::collection::vec((text(), text()), 0..3), maybe(any::<u64>())).prop_map(
        |(handle, association, ids, bound_since)| ContextState {
            handle,
            association,
            identifications: ids.iter().map(|(root, value)| InstanceIdentifier::new(root, value)).collect(),
            bound_since,
            ..ContextState::default()
        },
    )
}

fn state_kind() -> impl Strategy<Value = StateKind> {
    let metric = || maybe(word(ComponentActivation::ALL)).prop_map(|activation| MetricState { activation, ..MetricState::default() });
    let operation = || word(OperatingMode::ALL).prop_map(|mode| OperationState { mode });
    let condition = || {
        (word(AlertActivation::ALL), maybe(word(AlertPriority::ALL)), maybe(any::<bool>()), maybe(span())).prop_map(
            |(activation, priority, presence, generation_delay)| AlertConditionState {
                activation,
                priority,
                presence,
                generation_delay,
                ..AlertConditionState::default()
            },
        )
    };
    prop_oneof![
        (metric(), maybe((value_base(), maybe(number()))), proptest::collection::vec(range(), 0..2)).prop_map(|(metric, value, physiological_ranges)| {
            let value = value.map(|(base, value)| NumericMetricValue { base, value });
            NumericMetricState { metric, value, physiological_ranges, averaging_period: None }.into()
        }),
        (metric(), maybe((value_base(), maybe(text())))).prop_map(|(metric, value)| {
            EnumStringMetricState { metric, value: value.map(|(base, value)| StringMetricValue { base, value }) }.into()
        }),
        (metric(), maybe((value_base(), maybe(proptest::collection::vec(number(), 0..20))))).prop_map(|(metric, value)| {
            let value = value.map(|(base, samples)| SampleArrayValue { base, applied: Vec::new(), samples: samples.map(Numbers) });
            RealTimeSampleArrayMetricState { metric, value, ..RealTimeSampleArrayMetricState::default() }.into()
        }),
        condition().prop_map(StateKind::from),
        (condition(), range(), word(MonitoredLimits::ALL)).prop_map(|(condition, limits, monitored)| {
            LimitAlertConditionState { condition, limits, monitored, auto_limit: None }.into()
        }),
        (word(AlertActivation::ALL), maybe(word(SignalPresence::ALL)), maybe(word(SignalLocation::ALL))).prop_map(|(activation, presence, location)| {
            AlertSignalState { activation, presence, location, ..AlertSignalState::default() }.into()
        }),
        (word(AlertActivation::ALL), maybe(proptest::collection::vec(handle(), 0..3)), maybe(any::<i64>())).prop_map(|(activation, present, self_checks)| {
            AlertSystemState { activation, present_technical: present.map(Handles), self_checks, ..AlertSystemState::default() }.into()
        }),
        (component(), maybe(number()), maybe(word(ChargeStatus::ALL))).prop_map(|(component, capacity, charge)| {
            let capacity = capacity.map(|value| Quantity { unit: CodedValue::mdc(262_688), value });
            BatteryState { component, capacity, charge, ..BatteryState::default() }.into()
        }),
        (component(), any::<bool>(), maybe(any::<u64>())).prop_map(|(component, remote_sync, time)| {
            ClockState { component, remote_sync, time, ..ClockState::default() }.into()
        }),
        (component(), maybe(word(OperatingModeMds::ALL))).prop_map(|(component, mode)| MdsState { component, mode, ..MdsState::default() }.into()),
        operation().prop_map(|operation| ActivateOperationState { operation }.into()),
        (operation(), proptest::collection::vec(range(), 0..2)).prop_map(|(operation, allowed)| SetValueOperationState { operation, allowed }.into()),
        (context(), maybe((maybe(text()), maybe(word(Sex::ALL)), maybe(number())))).prop_map(|(context, data)| {
            let data = data.map(|(family, sex, weight)| PatientData {
                name: PersonName { family, ..PersonName::default() },
                sex,
                weight: weight.map(|value| Quantity { unit: CodedValue::mdc(263_875), value }),
                ..PatientData::default()
            });
            PatientContextState { context, data }.into()
        }),
        (context(), maybe((maybe(text()), maybe(text())))).prop_map(|(context, detail)| {
            let detail = detail.map(|(point_of_care, bed)| LocationDetail { point_of_care, bed, ..LocationDetail::default() });
            LocationContextState { context, detail }.into()
        }),
    ]
}

fn state() -> impl Strategy<Value = State> {
    (handle(), maybe(any::<u64>()), maybe(any::<u64>()), state_kind()).prop_map(|(descriptor, version, descriptor_version, kind)| State {
        version,
        descriptor_version,
        ..State::new(descriptor, kind)
    })
}

fn descriptor_kind() -> impl Strategy<Value = DescriptorKind> {
    let metric = || {
        (coded(), word(MetricCategory::ALL), word(Availability::ALL), maybe(span())).prop_map(|(unit, category, availability, determination_period)| {
            MetricDescriptor { unit, category, availability, determination_period, ..MetricDescriptor::default() }
        })
    };
    let operation = || (handle(), maybe(span()), maybe(word(AccessLevel::ALL))).prop_map(|(target, max_time_to_finish, access)| {
        OperationDescriptor { target, max_time_to_finish, access, ..OperationDescriptor::default() }
    });
    prop_oneof![
        (metric(), number()).prop_map(|(metric, resolution)| NumericMetricDescriptor { metric, resolution, ..NumericMetricDescriptor::default() }.into()),
        (metric(), number(), span()).prop_map(|(metric, resolution, sample_period)| {
            RealTimeSampleArrayMetricDescriptor { metric, resolution, sample_period, ..RealTimeSampleArrayMetricDescriptor::default() }.into()
        }),
        (metric(), proptest::collection::vec((text(), maybe(coded())), 1..3)).prop_map(|(metric, allowed)| {
            let allowed = allowed.into_iter().map(|(value, code)| AllowedValue { value, code, ..AllowedValue::default() }).collect();
            EnumStringMetricDescriptor { metric, allowed }.into()
        }),
        (proptest::collection::vec(handle(), 0..3), word(AlertConditionKind::ALL), word(AlertPriority::ALL), range()).prop_map(|(sources, kind, priority, max_limits)| {
            let condition = AlertConditionDescriptor { sources, kind, priority, ..AlertConditionDescriptor::default() };
            LimitAlertConditionDescriptor { condition, max_limits, auto_limit: None }.into()
        }),
        (maybe(handle()), word(Manifestation::ALL), any::<bool>()).prop_map(|(condition, manifestation, latching)| {
            AlertSignalDescriptor { condition, manifestation, latching, ..AlertSignalDescriptor::default() }.into()
        }),
        operation().prop_map(|operation| SetValueOperationDescriptor { operation }.into()),
        (operation(), coded()).prop_map(|(operation, name)| {
            let arguments = vec![Argument { name, type_ns: XSD.into(), type_name: "decimal".to_owned() }];
            ActivateOperationDescriptor { set: SetStateOperationDescriptor { operation, modifiable: Vec::new() }, arguments }.into()
        }),
        Just(DescriptorKind::from(VmdDescriptor::default())),
    ]
}

fn descriptor() -> impl Strategy<Value = Descriptor> {
    (handle(), maybe(any::<u64>()), maybe(word(SafetyClassification::ALL)), maybe(coded()), descriptor_kind()).prop_map(
        |(handle, version, safety, code, kind)| Descriptor { version, safety, code, ..Descriptor::new(handle, kind) },
    )
}

fn version() -> impl Strategy<Value = MdibVersion> {
    (any::<u64>(), "urn:[a-z0-9]{1,8}", maybe(any::<u64>()))
        .prop_map(|(version, sequence, instance)| MdibVersion { version, sequence, instance })
}

fn info() -> impl Strategy<Value = InvocationInfo> {
    (any::<u32>(), word(InvocationState::ALL), maybe(word(InvocationError::ALL))).prop_map(|(transaction, state, error)| InvocationInfo {
        transaction,
        state,
        error,
        messages: Vec::new(),
    })
}

fn trip(element: &markup::Element) -> markup::Element {
    let text = write(element, &PREFIXES);
    read(text.as_bytes(), &Limits::default()).expect(&text)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn reports(version in version(), states in proptest::collection::vec(state(), 0..5), mds in maybe(handle())) {
        let report = Report {
            kind: ReportKind::EpisodicMetric,
            version,
            body: ReportBody::States(vec![Part { source_mds: mds, states }]),
        };
        prop_assert_eq!(Report::read(&trip(&report.write())), Ok((report, Vec::new())));
    }

    #[test]
    fn changes_of_the_description(version in version(), descriptors in proptest::collection::vec(descriptor(), 0..4),
        states in proptest::collection::vec(state(), 0..3), parent in maybe(handle()), modification in maybe(word(Modification::ALL))) {
        let change = DescriptionChange { source_mds: None, parent, modification, descriptors, states };
        let report = Report { kind: ReportKind::DescriptionModification, version, body: ReportBody::Description(vec![change]) };
        prop_assert_eq!(Report::read(&trip(&report.write())), Ok((report, Vec::new())));
    }

    #[test]
    fn operations(version in version(), info in info(), operation in handle(), target in maybe(handle()), value in number(),
        words in text(), proposed in proptest::collection::vec(state(), 1..3)) {
        let invoked = Invoked { source_mds: None, info: info.clone(), source: InstanceIdentifier::new("r", "e"), operation: operation.clone(), target };
        let report = Report { kind: ReportKind::OperationInvoked, version: version.clone(), body: ReportBody::Invoked(vec![invoked]) };
        prop_assert_eq!(Report::read(&trip(&report.write())), Ok((report, Vec::new())));
        let answer = Answer { version, what: Answered::Set("SetValue", info) };
        prop_assert_eq!(Answer::read(&trip(&answer.write())), Ok((answer, Vec::new())));
        for what in [Setting::Value(value), Setting::Text(words.clone()), Setting::Activate(vec![words, String::new()]),
            Setting::Contexts(proposed.clone()), Setting::Metrics(proposed)] {
            let request = Request::Set(SetRequest { operation: operation.clone(), what });
            prop_assert_eq!(Request::read(&trip(&request.write())), Ok(request));
        }
    }

    #[test]
    fn any_tree_gets_an_answer(names in proptest::collection::vec(proptest::sample::select(vec![
        "Mdib", "MdDescription", "Mds", "Vmd", "MdState", "State", "Type", "EpisodicMetricReport", "ReportPart", "MetricState",
        "GetMdibResponse", "SetValue", "ActivateResponse", "Descriptor"]), 1..6), value in text()) {
        let mut element = markup::Element::with_text(PM, "Value", value.clone());
        for name in names.iter().rev() {
            for ns in [PM, MSG] {
                let mut outer = markup::Element::new(ns, name).attr("SequenceId", "s").attr("Handle", value.clone()).attr("DescriptorHandle", value.clone());
                outer.set_type(PM, "NumericMetricState");
                element = outer.child(element);
                let _ = (Mdib::read(&element), Report::read(&element), Request::read(&element), Answer::read(&element));
            }
        }
    }
}
