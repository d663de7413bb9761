"""A Streamlit app: when do flights out of New York arrive late?"""

import streamlit as st
from data import FEATURES, load
from sklearn.ensemble import HistGradientBoostingClassifier


@st.cache_data
def flights():
    return load(rows=20_000)


@st.cache_resource
def model():
    sample = flights()
    fitted = HistGradientBoostingClassifier(max_iter=40, random_state=0)
    return fitted.fit(sample[FEATURES], sample["late"])


st.set_page_config(page_title="Flights out of New York", layout="wide")
st.title("Which flights arrive late?")

origin = st.segmented_control("Airport", ["EWR", "JFK", "LGA"], default="JFK")
chosen = flights().query("origin == @origin")
st.caption(f"{len(chosen):,} flights of 2013, late means more than 15 minutes")
st.bar_chart(chosen.groupby("hour")["late"].mean(), x_label="hour of departure")

st.subheader("What if?")
left, middle, right = st.columns(3)
usual = chosen[FEATURES].median()
asked = usual.to_frame().T
asked["hour"] = left.slider("Hour", 5, 23, 17)
asked["month"] = middle.slider("Month", 1, 12, 7)
asked["wind_speed"] = right.slider("Wind, mph", 0.0, 40.0, 10.0)
chance = model().predict_proba(asked[FEATURES])[0, 1]
st.metric("Chance of arriving late", f"{chance:.0%}")
