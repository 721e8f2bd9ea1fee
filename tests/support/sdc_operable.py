"""An SDC device that lets itself be operated: sdc11073's provider with an MDIB from a file and handlers of its operations.

    python sdc_operable.py MDIB FOLDER EPR

`set_value_0` wants safety information (MDPWS) with its call: the value a second time, as a digest, and the version of
the value that the caller saw. It computes both itself, with lxml's XPath, and fails where they differ. The value 66
is refused, 55 is never finished, 44 becomes 45. Prints its address, then each call that it carried out.
"""

import base64
import copy
import hashlib
import pathlib
import re
import sys
import time
import uuid
from decimal import Decimal

from lxml import etree
from sdc11073.certloader import mk_ssl_contexts
from sdc11073.definitions_sdc import SdcV1Definitions
from sdc11073.mdib import ProviderMdib
from sdc11073.provider import SdcProvider
from sdc11073.provider.baseproduct import BaseProduct
from sdc11073.provider.operations import ExecuteResult
from sdc11073.provider.providerimpl import RoleProviderComponents
from sdc11073.xml_types import pm_types
from sdc11073.xml_types.dpws_types import ThisDeviceType, ThisModelType
from sdc11073.xml_types.msg_types import InvocationState

from sdc_device import Nowhere

NS = {"pm": "http://standards.ieee.org/downloads/11073/11073-10207-2017/participant",
      "msg": "http://standards.ieee.org/downloads/11073/11073-10207-2017/message",
      "ext": "http://standards.ieee.org/downloads/11073/11073-10207-2017/extension",
      "mdpws": "http://standards.ieee.org/downloads/11073/11073-20702-2016"}
NUMBER = "numeric_metric_0.channel_0.vmd_0.mds_0"
SAID = "/msg:SetValue/msg:RequestedNumericValue/text()"
SEEN = f"/msg:Mdib/pm:MdState/pm:State[@DescriptorHandle='{NUMBER}']/@StateVersion"


def bare(path):
    """A path as devices write it whose library forgets the prefixes: names alone."""
    return re.sub(r"/(pm|msg):", "/", path)


def declared():
    return " ".join(f'xmlns:{prefix}="{ns}"' for prefix, ns in NS.items())


def with_safety(text):
    """Puts the requirement into `set_value_0`, and one that nobody can know into `activate_0`."""
    tree = etree.fromstring(text.encode())
    for handle, definition in (
            ("set_value_0.sco.mds_0",
             f'<mdpws:DualChannelDef Algorithm="mdpws:Base64SHA1" Transform="mdpws:xml-exc-c14n">'
             f'<mdpws:Selector Id="said">{SAID}</mdpws:Selector></mdpws:DualChannelDef>'
             f'<mdpws:SafetyContextDef><mdpws:Selector Id="seen">{bare(SEEN)}</mdpws:Selector></mdpws:SafetyContextDef>'),
            ("activate_0.sco.mds_0", '<mdpws:DualChannelDef Algorithm="mdpws:oracle"/>')):
        operation = tree.find(f".//{{{NS['pm']}}}Operation[@Handle='{handle}']")
        operation.insert(0, etree.fromstring(
            f"<ext:Extension {declared()}><mdpws:SafetyReq>{definition}</mdpws:SafetyReq></ext:Extension>"))
    return etree.tostring(tree)


class Operations:
    """Handlers of the operations that the MDIB has."""

    def __init__(self, mdib):
        self.mdib = mdib

    def init_operations(self, _sco):
        pass

    def stop(self):
        pass

    def on_pre_commit(self, _mdib, _transaction):
        pass

    def on_post_commit(self, _mdib, _transaction):
        pass

    def make_missing_operations(self, _sco):
        return []

    def make_operation_instance(self, descriptor, getter):
        handlers = {"set_value_0.sco.mds_0": self.set_value, "set_string_0.sco.mds_0": self.set_text,
                    "activate_1.sco.mds_0": self.activate, "activate_0.sco.mds_0": self.activate}
        handler = handlers.get(descriptor.Handle)
        if handler is None:
            return None
        return getter(descriptor.NODETYPE)(descriptor.Handle, descriptor.OperationTarget, handler,
                                           coded_value=descriptor.Type)

    def check(self, message):
        info = message.header_node.find("mdpws:SafetyInfo", NS)
        assert info is not None, "no safety information"
        body = etree.ElementTree(copy.deepcopy(message.msg_node))
        [said] = body.xpath(SAID, namespaces=NS)
        [digest] = info.xpath("mdpws:DualChannel/mdpws:DcValue[@ReferencedSelector='said']/text()", namespaces=NS)
        assert digest == base64.b64encode(hashlib.sha1(said.encode()).digest()).decode(), "another digest"
        [seen] = info.xpath("mdpws:SafetyContext/mdpws:CtxtValue[@ReferencedSelector='seen']/text()", namespaces=NS)
        assert int(seen) == self.mdib.entities.by_handle(NUMBER).state.StateVersion, "another version was seen"

    def done(self, parameters, value, state=InvocationState.FINISHED):
        handle = parameters.operation_instance.operation_target_handle
        with self.mdib.metric_state_transaction() as change:
            target = change.get_state(handle)
            if target.MetricValue is None:
                target.mk_metric_value()
            target.MetricValue.Value = value
            target.MetricValue.MetricQuality.Validity = pm_types.MeasurementValidity.VALID
        print("call", parameters.operation_instance.handle, value, flush=True)
        return ExecuteResult(state, self.mdib.mdib_version_group, handle)

    def set_value(self, parameters):
        self.check(parameters.soap_message)
        value = parameters.operation_request.argument
        if value == 66:
            raise ValueError("not that one")
        if value == 55:
            print("call", parameters.operation_instance.handle, value, flush=True)
            time.sleep(3600)
        if value == 44:
            return self.done(parameters, Decimal(45), InvocationState.FINISHED_MOD)
        return self.done(parameters, value)

    def set_text(self, parameters):
        return self.done(parameters, parameters.operation_request.argument)

    def activate(self, parameters):
        return self.done(parameters, "".join(value.ArgValue for value in parameters.operation_request.argument))


class Product(BaseProduct):
    def __init__(self, mdib, sco, log_prefix=None):
        super().__init__(mdib, sco, log_prefix)
        self._ordered_role_providers.append(Operations(mdib))


def main(mdib_file, folder, epr, _port="0"):
    folder = pathlib.Path(folder)
    mdib = ProviderMdib.from_string(with_safety(pathlib.Path(mdib_file).read_text(encoding="utf-8")), SdcV1Definitions)
    own = folder / "own.pem"
    provider = SdcProvider(
        Nowhere(), ThisModelType(manufacturer="Tests", model_name="Operable"), ThisDeviceType(friendly_name="Operable"),
        mdib, epr=uuid.UUID(epr), ssl_context_container=mk_ssl_contexts(own, own, folder / "authority.pem"),
        role_provider_components=RoleProviderComponents(role_provider_class=Product))
    provider.start_all(start_rtsample_loop=False)
    with mdib.metric_state_transaction() as change:
        number = change.get_state(NUMBER)
        number.mk_metric_value()
        number.MetricValue.Value = Decimal(1)
        number.MetricValue.MetricQuality.Validity = pm_types.MeasurementValidity.VALID
    print(provider.get_xaddrs()[0], flush=True)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main(*sys.argv[1:])
