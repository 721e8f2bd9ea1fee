//! Messages as other implementations write them, what we write, and what is refused.

use markup::Element;
use proptest::prelude::*;
use wire_dpws::discovery::{Discovery, Probe, Service};
use wire_dpws::eventing::{EndStatus, Eventing, Subscribe};
use wire_dpws::metadata::{Ask, Hosted, Metadata, Relationship, ThisDevice, ThisModel};
use wire_dpws::names::{EVERYBODY, SDC, WSE};
use wire_dpws::scope::Rule;
use wire_dpws::{
    AppSequence, Code, Endpoint, Envelope, Error, Fault, Header, LIMITS, LIMITS_UDP, Name, Payload, services, wsdl,
};

fn round<P: Payload + PartialEq + std::fmt::Debug>(payload: &P) {
    let header = Header::request("", "urn:to", "urn:uuid:1");
    let text = Envelope::write_payload(header, payload);
    let read = Envelope::read(text.as_bytes(), &LIMITS).expect("what we write reads");
    assert_eq!(&P::read(&read).expect("and is the same"), payload, "{text}");
    assert_eq!(read.header.action, payload.action());
}

fn word() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9:/?=%&<>\"'ä.~-]{1,20}"
}

fn text() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9&<>\"'äß](.{0,12}[a-z])?".prop_map(|t: String| t.chars().filter(|c| !c.is_control()).collect::<String>().trim().to_owned())
}

fn name() -> impl Strategy<Value = Name> {
    (prop_oneof![Just(SDC.to_owned()), "[a-z]{1,8}".prop_map(|s| format!("urn:{s}"))], "[A-Z][a-zA-Z]{0,10}")
        .prop_map(|(ns, local)| Name::new(&ns, &local))
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    (word(), proptest::collection::vec(("[a-z]{1,5}", text()), 0..3)).prop_map(|(address, parameters)| Endpoint {
        address,
        parameters: parameters.into_iter().map(|(n, t)| Element::with_text("urn:x", &n, t)).collect(),
    })
}

fn service() -> impl Strategy<Value = Service> {
    let many = || proptest::collection::vec(word(), 0..4);
    (word(), proptest::collection::vec(name(), 0..4), many(), many(), any::<u32>()).prop_map(
        |(endpoint, types, scopes, addresses, metadata_version)| Service {
            endpoint,
            types,
            scopes,
            addresses,
            metadata_version,
        },
    )
}

fn discovery() -> impl Strategy<Value = Discovery> {
    let rule = prop_oneof![Just(Rule::Rfc3986), Just(Rule::Strcmp0), Just(Rule::Uuid), Just(Rule::None)];
    let probe = (proptest::collection::vec(name(), 0..4), proptest::collection::vec(word(), 0..4), rule)
        .prop_map(|(types, scopes, rule)| Probe { types, scopes, rule: Some(rule) });
    prop_oneof![
        service().prop_map(Discovery::Hello),
        word().prop_map(Discovery::Bye),
        probe.prop_map(Discovery::Probe),
        proptest::collection::vec(service(), 0..3).prop_map(Discovery::ProbeMatches),
        word().prop_map(Discovery::Resolve),
        proptest::option::of(service()).prop_map(Discovery::ResolveMatches),
    ]
}

fn eventing() -> impl Strategy<Value = Eventing> {
    let ms = || 0..1_000_000_000_u64;
    let subscribe = (
        endpoint(),
        proptest::option::of(endpoint()),
        proptest::collection::vec(word(), 0..4),
        proptest::option::of(ms()),
    )
        .prop_map(|(notify_to, end_to, actions, expires_ms)| Subscribe { notify_to, end_to, actions, expires_ms });
    let status =
        prop_oneof![Just(EndStatus::DeliveryFailure), Just(EndStatus::ShuttingDown), Just(EndStatus::Canceling)];
    prop_oneof![
        subscribe.prop_map(|s| Eventing::Subscribe(Box::new(s))),
        (endpoint(), ms()).prop_map(|(e, ms)| Eventing::SubscribeResponse(e, ms)),
        proptest::option::of(ms()).prop_map(Eventing::Renew),
        ms().prop_map(Eventing::RenewResponse),
        Just(Eventing::GetStatus),
        ms().prop_map(Eventing::GetStatusResponse),
        Just(Eventing::Unsubscribe),
        Just(Eventing::UnsubscribeResponse),
        (endpoint(), status, text()).prop_map(|(e, s, r)| Eventing::SubscriptionEnd(e, s, r)),
    ]
}

fn metadata() -> impl Strategy<Value = Metadata> {
    let texts = || proptest::collection::vec(("(|en|de-DE)", text()), 0..3);
    let option = || proptest::option::of(text());
    let model = (texts(), option(), texts(), option()).prop_map(|(manufacturer, manufacturer_url, model_name, model_number)| {
        ThisModel { manufacturer, manufacturer_url, model_name, model_number }
    });
    let device = (texts(), option(), option())
        .prop_map(|(friendly_name, firmware, serial)| ThisDevice { friendly_name, firmware, serial });
    let hosted = (proptest::collection::vec(endpoint(), 0..3), proptest::collection::vec(name(), 0..4), word())
        .prop_map(|(endpoints, types, id)| Hosted { endpoints, types, id });
    let relationship = (endpoint(), proptest::collection::vec(name(), 0..3), proptest::collection::vec(hosted, 0..3))
        .prop_map(|(host, host_types, hosted)| Relationship { host: Some(host), host_types, hosted });
    (
        proptest::option::of(model),
        proptest::option::of(device),
        proptest::option::of(relationship),
        proptest::option::of(word()),
    )
        .prop_map(|(model, device, relationship, wsdl)| Metadata { model, device, relationship, wsdl })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_written_reads_the_same(d in discovery(), e in eventing(), m in metadata(), reason in text(), sub in name()) {
        round(&d);
        round(&e);
        round(&m);
        for code in [Code::Sender, Code::Receiver, Code::MustUnderstand, Code::VersionMismatch, Code::DataEncodingUnknown] {
            round(&Fault { code, subcode: Some(sub.clone()), reason: reason.clone() });
        }
    }

    #[test]
    fn headers_read_the_same(to in endpoint(), reply in endpoint(), number in any::<u64>(), sequence in proptest::option::of(word())) {
        let mut header = Header::to("urn:action", &to, "urn:uuid:2");
        header.relates_to = Some("urn:uuid:1".into());
        header.reply_to = Some(reply.clone());
        header.from = Some(reply.clone());
        header.fault_to = Some(reply);
        header.sequence = Some(AppSequence { instance: number, sequence, number: number / 2 });
        let envelope = Envelope { header, body: None };
        let text = envelope.write(&Default::default());
        prop_assert_eq!(Envelope::read(text.as_bytes(), &LIMITS), Ok(envelope));
    }

    #[test]
    fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Envelope::read(&bytes, &LIMITS_UDP);
    }

    #[test]
    fn cut_or_spoilt_messages_never_panic(d in discovery(), e in eventing(), at in any::<proptest::sample::Index>(), byte in any::<u8>()) {
        for text in [
            Envelope::write_payload(Header::request("", EVERYBODY, "urn:uuid:1"), &d),
            Envelope::write_payload(Header::request("", "urn:to", "urn:uuid:1"), &e),
        ] {
            let mut bytes = text.into_bytes();
            let index = at.index(bytes.len());
            bytes[index] = byte;
            if let Ok(envelope) = Envelope::read(&bytes, &LIMITS) {
                let _ = (Discovery::read(&envelope), Eventing::read(&envelope), Metadata::read(&envelope), envelope.fault());
            }
            bytes.truncate(index);
            prop_assert!(Envelope::read(&bytes, &LIMITS).is_err());
        }
    }
}

const PROBE: &str = r#"<?xml version='1.0' encoding='UTF-8'?>
<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing"
 xmlns="http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01"><soap:Header>
 <a:Action soap:mustUnderstand="true"> http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01/Probe </a:Action>
 <a:MessageID>urn:uuid:1</a:MessageID><a:To>urn:docs-oasis-open-org:ws-dd:ns:discovery:2009:01</a:To>
 </soap:Header><soap:Body><Probe>
 <Types xmlns:d="http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01"
  xmlns:m="http://standards.ieee.org/downloads/11073/11073-20702-2016"> d:Device m:MedicalDevice </Types>
 <Scopes>sdc.ctxt.loc:/sdc.ctxt.loc.detail</Scopes></Probe></soap:Body></soap:Envelope>"#;

#[test]
fn a_probe_of_another_make() {
    let envelope = Envelope::read(PROBE.as_bytes(), &LIMITS_UDP).expect("a probe");
    let Ok(Discovery::Probe(probe)) = Discovery::read(&envelope) else { panic!("a probe") };
    let mut device = Service {
        types: vec![Name::device(), Name::medical_device()],
        scopes: vec!["sdc.ctxt.loc:/sdc.ctxt.loc.detail/a%2F%2Fb?bed=b".into()],
        ..Service::default()
    };
    assert!(probe.matches(&device));
    let answer = envelope.header.answer("x", "urn:uuid:2");
    assert_eq!(answer.relates_to.as_deref(), Some("urn:uuid:1"));
    assert_eq!(answer.to.as_deref(), Some(wire_dpws::names::ANONYMOUS));
    device.types.pop();
    assert!(!probe.matches(&device));
    assert!(!Probe { rule: None, ..Probe::default() }.matches(&device), "an unknown rule matches nothing");
    assert!(Probe { rule: Some(Rule::None), ..Probe::default() }.matches(&Service::default()));
}

#[test]
fn what_is_refused() {
    let check = |from: &str, to: &str, expected: &str| {
        assert!(PROBE.contains(from), "{from}");
        let text = PROBE.replacen(from, to, 1);
        let result = Envelope::read(text.as_bytes(), &LIMITS_UDP).and_then(|e| Discovery::read(&e));
        let error = result.expect_err(to).to_string();
        assert!(error.contains(expected), "{to}: {error}");
    };
    check("2003/05/soap-envelope", "2001/06/soap-envelope", "not a SOAP 1.2 envelope");
    check("<a:MessageID>", "<x xmlns=\"u\" soap:mustUnderstand=\"1\"/><a:MessageID>", "must be understood");
    check("d:Device", "u:Device", "qualified name");
    check("<a:Action soap", "<a:From soap", "");
    check("</Probe>", "</Probe><Probe/>", "more than one");
    check("<Probe>", "<Probe><Bye>", "well-formed");
    check("discovery/2009/01/Probe ", "discovery/2009/01/Bye ", "action and body differ");
    check("<soap:Envelope", "<!DOCTYPE x [<!ENTITY e 'e'>]><soap:Envelope", "document types");
    check("urn:uuid:1", &"x".repeat(2_000), "bytes of a header");
    check("sdc.ctxt.loc:/sdc", &"a:b ".repeat(300), "words in a list");
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    assert!(matches!(Envelope::read(deep.as_bytes(), &LIMITS), Err(Error::Markup(markup::Error::Limit(_)))));
}

#[test]
fn a_subscription_is_checked() {
    let subscribe = Subscribe {
        notify_to: Endpoint::new("https://a/b"),
        actions: vec![services::action("StateEventService", "EpisodicMetricReport")],
        expires_ms: Some(15_000),
        ..Subscribe::default()
    };
    let good = Envelope::write_payload(
        Header::request("", "urn:to", "urn:uuid:1"),
        &Eventing::Subscribe(Box::new(subscribe)),
    );
    for (from, to, expected) in [
        ("DeliveryModes/Push", "DeliveryModes/Pull", "delivery"),
        ("dpws/2009/01/Action", "xpath", "by action"),
        ("PT15S", "2026-01-01T00:00:00Z", "wse:Expires"),
        ("PT15S", "-PT15S", "wse:Expires"),
        ("https://a/b", "", "wsa:Address"),
        ("https://a/b", &"x".repeat(3_000), "bytes of an address"),
    ] {
        assert!(good.contains(from), "{from}");
        let envelope = Envelope::read(good.replacen(from, to, 1).as_bytes(), &LIMITS).expect("an envelope");
        let error = Eventing::read(&envelope).expect_err(to).to_string();
        assert!(error.contains(expected), "{to}: {error}");
    }
}

#[test]
fn faults_and_questions() {
    for ask in [Ask::Device, Ask::Service] {
        round(&ask);
    }
    round(&Fault::action_not_supported());
    round(&Fault::unknown_subscription());
    let fault = Fault::of_error(&Error::MustUnderstand);
    assert_eq!(fault.code, Code::MustUnderstand);
    let bare = "<Envelope xmlns='http://www.w3.org/2003/05/soap-envelope'><Body><Fault/></Body></Envelope>";
    let envelope = Envelope::read(bare.as_bytes(), &LIMITS).expect("a fault needs no action");
    assert_eq!(envelope.fault().map(|fault| fault.code), Some(Code::Receiver));
}

#[test]
fn services_describe_themselves() {
    let text = wsdl(&["GetService", "SetService", "StateEventService", "nonsense"]);
    let root = markup::read(text.as_bytes(), &LIMITS).expect("XML");
    assert_eq!(root.attribute("targetNamespace"), Some(SDC));
    assert_eq!(root.all(wire_dpws::names::WSDL, "portType").count(), 3);
    assert_eq!(services::of_action(&services::action("GetService", "GetMdib")), Some(("GetService", "GetMdib")));
    assert_eq!(services::of_action(WSE), None);
}
