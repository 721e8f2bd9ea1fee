//! The description of a hosted service in WSDL 1.1: which messages its port type has. Written only: no
//! client of ours reads it, for the port types are the standard's.

use markup::Element;

use crate::names::{MSG, SDC, WSDL, WSDL_S12};
use crate::services::{action, service};

/// The WSDL of the services of these names; unknown names are passed over. Types are referenced by name,
/// their schemas (IEEE 11073-10207) are not repeated.
#[must_use]
pub fn wsdl(services: &[&str]) -> String {
    let mut root = Element::new(WSDL, "definitions").attr("targetNamespace", SDC);
    let mut bindings = Vec::new();
    let mut ports = Vec::new();
    let known: Vec<_> = services.iter().filter_map(|name| service(name)).collect();
    for service in &known {
        let answers = service.requests.iter().flat_map(|r| [(*r).to_owned(), format!("{r}Response")]);
        for message in answers.chain(service.reports.iter().map(|report| (*report).to_owned())) {
            let part = Element::new(WSDL, "part").attr("name", "parameters").attr("element", format!("msg:{message}"));
            root.children.push(Element::new(WSDL, "message").attr("name", message).child(part));
        }
    }
    for service in &known {
        let mut port = Element::new(WSDL, "portType").attr("name", service.name);
        let mut binding = Element::new(WSDL, "binding")
            .attr("name", format!("{}Binding", service.name))
            .attr("type", format!("tns:{}", service.name))
            .child(
                Element::new(WSDL_S12, "binding")
                    .attr("style", "document")
                    .attr("transport", "http://schemas.xmlsoap.org/soap/http"),
            );
        for request in service.requests {
            port.children.push(
                operation(request)
                    .child(way("input", service.name, request))
                    .child(way("output", service.name, &format!("{request}Response"))),
            );
            binding.children.push(operation(request).child(literal("input")).child(literal("output")));
        }
        for report in service.reports {
            port.children.push(operation(report).child(way("output", service.name, report)));
            binding.children.push(operation(report).child(literal("output")));
        }
        ports.push(port);
        bindings.push(binding);
    }
    root.children.extend(ports);
    root.children.extend(bindings);
    markup::write(&root, &[("wsdl", WSDL), ("s12", WSDL_S12), ("tns", SDC), ("msg", MSG), ("wsa", crate::names::WSA)])
}

fn operation(name: &str) -> Element {
    Element::new(WSDL, "operation").attr("name", name)
}

fn way(direction: &str, service: &str, message: &str) -> Element {
    let mut element = Element::new(WSDL, direction).attr("message", format!("tns:{message}"));
    element.set(crate::names::WSA, "Action", action(service, message));
    element
}

fn literal(direction: &str) -> Element {
    Element::new(WSDL, direction).child(Element::new(WSDL_S12, "body").attr("use", "literal"))
}
