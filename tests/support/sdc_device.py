"""An SDC device: sdc11073's reference provider with an MDIB from a file, over TLS, as a process of its own.

    python sdc_device.py MDIB FOLDER EPR [PORT]

FOLDER holds own.pem (certificate and key) and authority.pem. Prints its address, then changes a number, an
enumeration, waveforms and an alert again and again, and tells its patient and place.
"""

import itertools
import logging
import math
import pathlib
import sys
import time
import uuid
from decimal import Decimal

from sdc11073.certloader import mk_ssl_contexts
from sdc11073.definitions_sdc import SdcV1Definitions
from sdc11073.httpserver import httpserverimpl
from sdc11073.location import SdcLocation
from sdc11073.mdib import ProviderMdib
from sdc11073.provider import SdcProvider
from sdc11073.xml_types import pm_types
from sdc11073.xml_types.dpws_types import ThisDeviceType, ThisModelType

NUMBER = "numeric_metric_1.channel_1.vmd_0.mds_0"
WORD = "enum_string_metric_0.channel_0.vmd_0.mds_0"
WAVE = "rtsa_metric_0.channel_1.vmd_0.mds_0"
CONDITION, SIGNAL = "alert_condition_0.mds_0", "alert_signal_0.mds_0"
PATIENT = "patient_context.mds_0"


class Nowhere:
    """Discovery that tells nobody: the test knows the address."""

    active_address = "127.0.0.1"

    def publish_service(self, *_arguments, **_options):
        pass

    def clear_service(self, *_arguments, **_options):
        pass


def at_port(port):
    """A device that comes back is where it was: its listener takes this port, where the library takes any."""
    server = httpserverimpl._ThreadingHTTPServer
    bind = server.server_bind

    def fixed(self):
        self.allow_reuse_address = True
        self.server_address = (self.server_address[0], port)
        bind(self)

    server.server_bind = fixed


def name_patient(mdib):
    with mdib.context_state_transaction() as change:
        state = change.mk_context_state(PATIENT, set_associated=True)
        state.CoreData.Familyname = "Bedside"
        state.Identification = [pm_types.InstanceIdentifier("urn:oid:1.2.3", extension_string="SDC-1")]


def wave(mdib, start, samples):
    with mdib.rt_sample_state_transaction() as change:
        state = change.get_state(WAVE)
        if state.MetricValue is None:
            state.mk_metric_value()
        state.MetricValue.Samples = [Decimal(round(100 * math.sin(2 * math.pi * n / 100))) for n in samples]
        state.MetricValue.DeterminationTime = start
        state.MetricValue.MetricQuality.Validity = pm_types.MeasurementValidity.VALID


def beat(mdib, count):
    with mdib.metric_state_transaction() as change:
        number = change.get_state(NUMBER)
        if number.MetricValue is None:
            number.mk_metric_value()
        number.MetricValue.Value = Decimal(60 + count % 5)
        number.MetricValue.MetricQuality.Validity = pm_types.MeasurementValidity.VALID
    if count % 5 == 0:
        with mdib.alert_state_transaction() as change:
            condition = change.get_state(CONDITION)
            condition.Presence = True
            condition.ActivationState = pm_types.AlertActivation.ON
            condition.ActualPriority = pm_types.AlertConditionPriority.MEDIUM
            signal = change.get_state(SIGNAL)
            signal.ActivationState = pm_types.AlertActivation.ON
            signal.Presence = pm_types.AlertSignalPresence.ON


def main(mdib_file, folder, epr, port="0"):
    at_port(int(port))
    logging.basicConfig(level=logging.WARNING)
    folder = pathlib.Path(folder)
    mdib = ProviderMdib.from_mdib_file(mdib_file, SdcV1Definitions)
    own = folder / "own.pem"
    provider = SdcProvider(
        Nowhere(), ThisModelType(manufacturer="Tests", model_name="Reference"), ThisDeviceType(friendly_name="Reference"),
        mdib, epr=uuid.UUID(epr), ssl_context_container=mk_ssl_contexts(own, own, folder / "authority.pem"))
    provider.start_all(start_rtsample_loop=False)
    provider.set_location(SdcLocation(fac="TEST", poc="ICU", rm="1", bed="7"), publish_now=False)
    name_patient(mdib)
    print(provider.get_xaddrs()[0], flush=True)
    for count in itertools.count():
        # Ten samples every tenth of a second: 100 Hz.
        for tenth in range(10):
            wave(mdib, time.time() - 0.1, range(tenth * 10, tenth * 10 + 10))
            time.sleep(0.1)
        beat(mdib, count)


if __name__ == "__main__":
    main(*sys.argv[1:])
