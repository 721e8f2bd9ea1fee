"""Virtual people with diabetes (PyPI `simglucose`): what their glucose sensors say."""

import datetime
import logging
import time
import warnings


def people(names, hours, seed=1):
    """For each name a series of (seconds since 1970, mg/dL as a whole number), which ends now: every three minutes,
    as simglucose's Dexcom sensor reads, with a meal after the first half hour."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from simglucose.actuator.pump import InsulinPump
        from simglucose.controller.basal_bolus_ctrller import BBController
        from simglucose.patient.t1dpatient import T1DPatient
        from simglucose.sensor.cgm import CGMSensor
        from simglucose.simulation.env import T1DSimEnv
        from simglucose.simulation.scenario import CustomScenario
    logging.getLogger("simglucose").setLevel(logging.ERROR)
    begin = int(time.time()) // 60 * 60 - int(hours * 3600)
    start = datetime.datetime(2026, 1, 1)
    found = {}
    for number, name in enumerate(names):
        scenario = CustomScenario(start_time=start, scenario=[(0.5, 40)])
        sensor = CGMSensor.withName("Dexcom", seed=seed + number)
        home = T1DSimEnv(T1DPatient.withName(name), sensor, InsulinPump.withName("Insulet"), scenario)
        controller = BBController()
        seen, reward, done, about = home.reset()
        series = []
        while home.time < start + datetime.timedelta(hours=hours):
            action = controller.policy(seen, reward, done, **about)
            seen, reward, done, about = home.step(action)
            second = begin + int((about["time"] - start).total_seconds())
            series.append((second, round(float(seen.CGM))))
        found[name] = series
    return found
