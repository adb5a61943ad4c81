"""The code lists of adverse events (STUDY B.3): the stored code, then the words for people."""

from trial.code_lists import code_list

ACTION = code_list("""
    DOSE NOT CHANGED     Dose not changed
    DOSE REDUCED         Dose reduced
    DOSE RATE REDUCED    Dose rate reduced
    DOSE INCREASED       Dose increased
    DRUG INTERRUPTED     Drug interrupted
    DRUG WITHDRAWN       Drug withdrawn
    NOT APPLICABLE       Not applicable
    UNKNOWN              Unknown
""")
OTHER_ACTION = code_list("""
    NONE               None
    MEDICATION         Medication
    TRANSFUSION        Transfusion
    HOSPITALIZATION    Hospitalisation
    PROCEDURE          Procedure
    OTHER              Other
""")
OUTCOME = code_list("""
    FATAL                               Fatal
    NOT RECOVERED/NOT RESOLVED          Not recovered
    RECOVERED/RESOLVED                  Recovered
    RECOVERED/RESOLVED WITH SEQUELAE    Recovered with sequelae
    RECOVERING/RESOLVING                Recovering
    UNKNOWN                             Unknown
""")
OTHER_CAUSE = code_list("""
    DISEASE                   Disease
    PRIOR HSCT/GVHD           Earlier transplantation or GVHD
    CONCOMITANT MEDICATION    Concomitant medication
    PROCEDURE                 Procedure
    CATHETER/DEVICE           Catheter or device
    OTHER                     Other
""")
SPECIAL_INTEREST = code_list("""
    CRS                       Cytokine release syndrome
    NEUROLOGIC                Neurologic event
    INFECTION                 Infection
    GVHD ACUTE                Acute GVHD
    GVHD CHRONIC              Chronic GVHD
    CYTOPENIA                 Cytopenia
    ELEVATED LIVER ENZYMES    Elevated liver enzymes
    INFUSION REACTION         Infusion reaction
    TUMOR LYSIS               Tumour lysis
    CAPILLARY LEAK            Capillary leak
    HLH/MAS                   Haemophagocytic lymphohistiocytosis or macrophage activation
    PANCREATITIS              Pancreatitis
    MEDICATION ERROR          Medication error
    LEUKOENCEPHALOPATHY       Leukoencephalopathy
    DIC                       Disseminated intravascular coagulation
    THROMBOEMBOLIC            Thromboembolic event
    IMMUNOGENICITY            Immunogenicity
    NONE                      None
""")
PATTERN = code_list("""
    SINGLE          Single
    CONTINUOUS      Continuous
    INTERMITTENT    Intermittent
""")
CRS_ORGAN = code_list("""
    HEPATIC        Liver
    RENAL          Kidney
    CARDIAC        Heart
    COAGULATION    Coagulation
    PULMONARY      Lung
    CLS            Capillary leak
    HLH/MAS        Haemophagocytic lymphohistiocytosis or macrophage activation
    NONE           None
""")
CRS_TREATMENT = code_list("""
    NONE                              None
    ANTIPYRETIC                       Antipyretic
    FLUIDS                            Fluids
    STEROID                           Steroid
    TOCILIZUMAB                       Tocilizumab
    SILTUXIMAB/OTHER ANTI-CYTOKINE    Siltuximab or another anti-cytokine
    VASOPRESSOR                       Vasopressor
    OXYGEN                            Oxygen
    VENTILATION                       Ventilation
    OTHER                             Other
""")
NEUROLOGIC_SIGN = code_list("""
    ENCEPHALOPATHY             Encephalopathy
    SEIZURE                    Seizure
    APHASIA/SPEECH             Aphasia or speech
    TREMOR                     Tremor
    ATAXIA/COORDINATION        Ataxia or coordination
    CONFUSION/DISORIENTATION   Confusion or disorientation
    SOMNOLENCE                 Somnolence
    HEADACHE                   Headache
    DIZZINESS                  Dizziness
    CRANIAL NERVE              Cranial nerve
    PSYCHIATRIC                Psychiatric
    OTHER                      Other
""")
CONSCIOUSNESS = code_list("""
    NORMAL                                               Normal
    AWAKENS SPONTANEOUSLY                                Awakens spontaneously (sleepy)
    AWAKENS TO VOICE                                     Awakens to voice
    AWAKENS ONLY TO TACTILE STIMULUS                     Awakens only to touch
    UNAROUSABLE/VIGOROUS STIMULI/STUPOR/COMA             Unarousable, stupor or coma
""")
SEIZURE = code_list("""
    NONE                                                 None
    SINGLE SEIZURE RESOLVED RAPIDLY                      Single seizure, or non-convulsive and resolved with treatment
    PROLONGED >5 MIN OR REPETITIVE                       Longer than 5 minutes, or repetitive without return to baseline
""")
INTRACRANIAL_PRESSURE = code_list("""
    NONE                  None
    FOCAL/LOCAL EDEMA     Focal oedema on imaging
    DIFFUSE EDEMA         Diffuse oedema, posturing, sixth-nerve palsy, papilloedema or Cushing triad
""")
IMAGING = code_list("""
    CT      CT
    MRI     MRI
    EEG     EEG
    LP      Lumbar puncture
    NONE    None
""")
IMAGING_RESULT = code_list("""
    NORMAL                 Normal
    LEUKOENCEPHALOPATHY    Leukoencephalopathy
    CNS LEUKEMIA           Leukaemia of the central nervous system
    STROKE                 Stroke
    BLEED                  Bleeding
    INFECTION              Infection
    OTHER                  Other
    ND                     Not done
""")
ALTERNATIVE_CAUSE = code_list("""
    NONE            None
    CNS LEUKEMIA    Leukaemia of the central nervous system
    INFECTION       Infection
    MEDICATION      Medication
    METABOLIC       Metabolic
    STROKE/BLEED    Stroke or bleeding
    OTHER           Other
""")
TRANSPLANT_CONCERNED = code_list("""
    PRIOR HSCT         Transplantation before the study
    POST-STUDY HSCT    Transplantation after the first dose
    DLI                Donor lymphocyte infusion
""")
GVHD_ALTERNATIVE = code_list("""
    DRUG RASH       Drug rash
    C. DIFFICILE    Clostridioides difficile
    VOD             Veno-occlusive disease
    INFECTION       Infection
""")
BIOPSY = code_list("""
    NOT DONE            Not done
    SUPPORTS            Supports
    DOES NOT SUPPORT    Does not support
    EQUIVOCAL           Equivocal
""")
CONFIDENCE = code_list("""
    CONFIRMED    Confirmed
    PROBABLE     Probable
    POSSIBLE     Possible
    NEGATIVE     Negative
""")
ACUTE_GVHD_TREATMENT = code_list("""
    NONE                None
    TOPICAL             Topical
    SYSTEMIC STEROID    Systemic steroid
    RUXOLITINIB         Ruxolitinib
    ECP                 Extracorporeal photopheresis
    ATG                 Antithymocyte globulin
    OTHER               Other
""")
CHRONIC_GVHD_TREATMENT = code_list("""
    NONE           None
    STEROID        Steroid
    CNI            Calcineurin inhibitor
    SIROLIMUS      Sirolimus
    MMF            Mycophenolate
    ECP            Extracorporeal photopheresis
    RUXOLITINIB    Ruxolitinib
    IBRUTINIB      Ibrutinib
    OTHER          Other
""")
PATHOGEN = code_list("""
    BACTERIAL               Bacterial
    VIRAL                   Viral
    FUNGAL                  Fungal
    PARASITIC               Parasitic
    MIXED                   Mixed
    PATHOGEN UNSPECIFIED    Pathogen unspecified
""")
DOCUMENTATION = code_list("""
    MICROBIOLOGICAL          Microbiological
    CLINICAL/RADIOLOGICAL    Clinical or radiological
    SUSPECTED                Suspected
""")
INFECTION_SITE = code_list("""
    BLOODSTREAM          Bloodstream
    LUNG                 Lung
    UPPER RESPIRATORY    Upper airways
    GI                   Gut
    URINARY              Urinary tract
    CNS                  Central nervous system
    SKIN/SOFT TISSUE     Skin or soft tissue
    CATHETER-RELATED     Catheter
    ENT/SINUS            Ear, nose, throat or sinus
    HEPATIC/BILIARY      Liver or bile ducts
    DISSEMINATED         Disseminated
    OTHER                Other
""")
HOSPITALISATION = code_list("""
    PROTOCOL-REQUIRED    Required by the protocol
    AE                   Adverse event
    GVHD                 GVHD
    HSCT                 Transplantation
    SOCIAL               Social
    OTHER                Other
""")
SAE_REPORT = code_list("""
    INITIAL      Initial
    FOLLOW-UP    Follow-up
    FINAL        Final
""")
GVHD_ORGAN = code_list("""
    SKIN       Skin
    MOUTH      Mouth
    EYES       Eyes
    GI         Gastrointestinal tract
    LIVER      Liver
    LUNG       Lung
    JOINTS     Joints and fascia
    GENITAL    Genital tract
""")
